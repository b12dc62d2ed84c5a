"""Bring an index up to date with its folder: plan, prepare ahead, embed, commit, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from tqdm import tqdm

from fourm.embedder import Embedder, Vectors
from indexes import Index, Record
from retrieval.building.embedding import Embedded, embed
from retrieval.building.planning import Plan, make_plan
from retrieval.building.preparing import Item, Preparer
from retrieval.errors import BuildInterrupted, UsageError
from retrieval.items import IMAGE, ItemReader
from retrieval.pictures import Found, Listing
from retrieval.pictures.decoding import quiet_pillow
from retrieval.pipeline import ahead, usual_threads

DEFAULT_BATCH_SIZE = 32


@dataclass
class BuildReport:
    """What one build did, in numbers of pictures.

    `skipped` includes those skipped before; `filled` are pictures of the index that got vectors in
    a space that was added. `left` are those that could not be reached for that, by space: until
    they are, the space cannot be searched.
    """

    indexed: int = 0
    unchanged: int = 0
    filled: int = 0
    moved: int = 0
    forgotten: int = 0
    skipped: int = 0
    left: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class BuildOptions:
    """How to build.

    Attributes:
        batch_size: pictures in one forward pass and one transaction, at least 1.
        workers: threads that read and decode; None: one a core, at most 8.
        retry: try files again that were skipped before and have not changed.
        progress: show a progress bar on stderr when that is a terminal.
    """

    batch_size: int = DEFAULT_BATCH_SIZE
    workers: int | None = None
    retry: bool = False
    progress: bool = False

    def __post_init__(self) -> None:
        for name, value in (("batch size", self.batch_size), ("workers", self.workers)):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise UsageError(f"at least 1, not {value!r}", where=name)

    @property
    def threads(self) -> int:
        """The number of workers."""
        return self.workers or usual_threads()


def build(
    index: Index, listing: Listing, model: Embedder, reader: ItemReader, options: BuildOptions
) -> BuildReport:
    """Bring a gallery of `index`, that of the reader, up to date with `listing`.

    What is committed stays, however this ends: the next build goes on from there.

    Raises:
        BuildInterrupted: by Ctrl-C.
        indexes.IndexesError: another process is writing, the disk is full ...
    """
    with index.lock():
        run = _Build(index, listing, model, reader, options)
        try:
            with quiet_pillow():
                run.run()
        except KeyboardInterrupt:
            index.publish()
            raise BuildInterrupted(
                f"stopped: {run.done} of {len(run.plan.to_read)} files done and kept in "
                f"{index.folder}; run the same command again to go on"
            ) from None
        index.publish()
    return run.report


class _Build:
    def __init__(
        self,
        index: Index,
        listing: Listing,
        model: Embedder,
        reader: ItemReader,
        options: BuildOptions,
    ) -> None:
        self.kind = reader.kind.name
        self.index = index
        self.model = model
        self.options = options
        known = index.snapshot(modality=self.kind)
        lacking = index.without_vectors(modality=self.kind)
        self.plan: Plan = make_plan(listing, known, retry=options.retry, lacking=lacking)
        self.preparer = Preparer(
            reader, model, known, self.plan.gone, retry=options.retry, lacking=lacking
        )
        self.known = known
        self.report = BuildReport(unchanged=self.plan.unchanged, skipped=self.plan.still_skipped)
        self.moved_away: set[str] = set()
        self.done = 0

    def run(self) -> None:
        self._write([_skipped(Found(e.path, 0, 0), e.reason) for e in self.plan.unreadable])
        items = ahead(
            self.preparer.prepare,
            self.plan.to_read,
            workers=self.options.threads,
            waiting=2 * self.options.batch_size + self.options.threads,
        )
        bar = tqdm(
            total=len(self.plan.to_read),
            desc="indexing",
            unit=" pictures" if self.kind == IMAGE else " items",
            disable=None if self.options.progress else True,
        )
        with bar, closing(items):
            for batch in _batches(items, self.options.batch_size):
                self._commit(batch)
                self.done += len(batch)
                bar.update(len(batch))
        gone = self.plan.gone.keys() - self.moved_away
        self.report.forgotten = self.index.delete(sorted(gone), modality=self.kind)
        self.report.left = self.index.mark_complete(modality=self.kind)

    def _commit(self, batch: Sequence[Item]) -> None:
        moves = {item.moved_from: item.found for item in batch if item.moved_from is not None}
        same = [item.found for item in batch if item.same_content]
        if moves:
            self.index.rename({old: found.path for old, found in moves.items()}, modality=self.kind)
            self.moved_away.update(moves)
            self.report.moved += len(moves)
        times = {found.path: found.mtime_ns for found in moves.values()}
        for found in same:
            if found.mtime_ns != self.known[found.path].mtime_ns:
                times[found.path] = found.mtime_ns
        if times:
            self.index.set_mtimes(times, modality=self.kind)
        for item in batch:
            if not item.same_content or item.prepared is not None or item.error is not None:
                continue
            if self.known[item.found.path].state == "indexed":
                self.report.unchanged += 1
            else:
                self.report.skipped += 1
        records = [_skipped(i.found, i.error, i) for i in batch if i.error is not None]
        for lacking in sorted({item.lacking for item in batch if item.prepared is not None}):
            alike = [i for i in batch if i.prepared is not None and i.lacking == lacking]
            made = embed(self.model, alike, self._dims(lacking))
            records += [_skipped(item.found, reason, item) for item, reason in made.failed]
            if lacking:
                self._fill(made)
            else:
                records += [_record(item.found, item, vectors) for item, vectors in made.vectors]
        self._write(records)

    def _dims(self, spaces: Sequence[str]) -> dict[str, int]:
        recipes = self.index.recipes
        return {name: recipes[name].dim for name in spaces or recipes}

    def _fill(self, made: Embedded) -> None:
        found = {item.found.path: vectors for item, vectors in made.vectors}
        self.index.add_vectors(found, modality=self.kind)
        self.report.filled += sum(item.same_content for item, _ in made.vectors)

    def _write(self, records: Sequence[Record]) -> None:
        new = [record for record in records if not self._unread_before(record)]
        self.index.write(new, modality=self.kind)
        failed = sum(record.error is not None for record in records)
        self.report.skipped += failed
        self.report.indexed += len(records) - failed

    def _unread_before(self, record: Record) -> bool:
        """Nothing new: writing it would only make the published vectors out of date."""
        before = self.known.get(record.path)
        return (
            record.content_hash is None
            and before is not None
            and before.state == "skipped"
            and before.content_hash is None
        )


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists with up to `size` items for the model, in order, and those between them that failed."""
    batch: list[Item] = []
    for_model = 0
    for item in items:
        batch.append(item)
        for_model += item.prepared is not None
        # Items that do not need the model are cheap to hold, but not without end.
        if for_model == size or len(batch) == 8 * size:
            yield batch
            batch, for_model = [], 0
    if batch:
        yield batch


def _skipped(found: Found, reason: str, item: Item | None = None) -> Record:
    return _record(found, item, error=reason)


def _record(
    found: Found,
    item: Item | None,
    vectors: Mapping[str, Vectors] | None = None,
    error: str | None = None,
) -> Record:
    facts = item.facts if item else None
    return Record(
        path=found.path,
        size=found.size,
        mtime_ns=found.mtime_ns,
        content_hash=item.content_hash if item else None,
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        exif_date=facts.taken if facts else None,
        exif_orientation=facts.orientation if facts else None,
        vectors=vectors,
        error=error,
    )
