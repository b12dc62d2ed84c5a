"""Bring an index up to date with its folder: plan, prepare ahead, embed and commit in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from typing import Any

from fourm.embedder import Embedder, Vectors
from indexes import FileInfo, Index, Item, Part, Record
from retrieval.building.details import details_of, read_missing_details
from retrieval.building.embedding import NO_VECTOR, embed
from retrieval.building.parts import lacking_parts
from retrieval.building.planning import is_outdated, make_plan
from retrieval.building.preparing import PreparedItem, Preparer
from retrieval.errors import BuildInterrupted, UsageError
from retrieval.images import FoundItem, Listing
from retrieval.images.decoding import quiet_pillow
from retrieval.images.leaving_out import count_kinds
from retrieval.images.limits import DecodingOptions
from retrieval.items import ItemReader
from retrieval.pipeline import default_workers, prefetch
from retrieval.progress import Progress

DEFAULT_BATCH_SIZE = 32


@dataclass
class BuildReport:
    """What one build did, in numbers of items.

    Attributes:
        indexed: new and changed items that were embedded.
        unchanged: items that are as they were.
        completed: items of the index that got vectors in a space that was added, or squares that
            they lacked.
        moved: items that were recognised under another path.
        edited: changed items of which the pixels are the same, so that their vectors stay.
        deleted: items that the folder no longer has.
        missing: items of folders that are empty or gone, which may lie on a disk that is not
            mounted: they keep their vectors and are not searched. `prune` deletes them.
        missing_folders: the uppermost of these folders, relative to the root, sorted.
        skipped: items that could not be read, including those skipped before.
        left_out: kind, e.g. `.CR2` or `excluded` -> number of files and folders that do not belong
            to the gallery, by their names.
        incomplete: space that was added -> items whose vectors are still missing, since they could
            not be read. Until they are added, the space cannot be searched.
        notes: how items were read, where that is not plain: `12 maps read as: sky 40 % ... (coco)`.
    """

    indexed: int = 0
    unchanged: int = 0
    completed: int = 0
    moved: int = 0
    edited: int = 0
    deleted: int = 0
    missing: int = 0
    missing_folders: tuple[str, ...] = ()
    skipped: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    incomplete: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class BuildOptions:
    """How to build.

    Attributes:
        batch_size: items in one forward pass and one transaction, >= 1.
        workers: threads that read and decode, >= 1; None: one per core, at most 8.
        retry: retry files that were skipped and have not changed.
        check_content: read all files, also those whose size, times and inode are the same.
        prune: delete items of folders that are empty or gone.
        progress: show a progress bar on stderr if it is a terminal.
        max_pixels: largest image that is decoded, in pixels, >= 1; None: see `DecodingOptions`.
        allow_truncated: read truncated images as far as they go.
    """

    batch_size: int = DEFAULT_BATCH_SIZE
    workers: int | None = None
    retry: bool = False
    progress: bool = False
    max_pixels: int | None = None
    allow_truncated: bool = False
    check_content: bool = False
    prune: bool = False

    def __post_init__(self) -> None:
        for name, value in (
            ("batch size", self.batch_size),
            ("workers", self.workers),
            ("max_pixels", self.max_pixels),
        ):
            if value is not None and (not isinstance(value, int) or value < 1):
                raise UsageError(f"must be >= 1, got {value!r}", where=name)

    @property
    def decoding(self) -> DecodingOptions:
        """Limits of image files."""
        return DecodingOptions(self.max_pixels, self.allow_truncated)

    @property
    def threads(self) -> int:
        """The number of workers."""
        return self.workers or default_workers()


def build(
    index: Index, listing: Listing, model: Embedder, reader: ItemReader, options: BuildOptions
) -> BuildReport:
    """Bring the gallery of `reader` in an index up to date with `listing`.

    Whatever ends the build, committed batches are kept and the next build continues from there.

    Raises:
        BuildInterrupted: by Ctrl-C.
        indexes.IndexesError: another process is writing, the disk is full ...
    """
    with index.lock():
        run = _Build(index, listing, model, reader, options)
        try:
            with quiet_pillow():
                run.run()
                read_missing_details(
                    index, reader, workers=options.threads, progress=options.progress
                )
        except KeyboardInterrupt:
            index.publish()
            raise BuildInterrupted(
                f"stopped: {run.done} of {len(run.plan.to_read)} files done and kept in "
                f"{index.folder}; run the same command again to continue"
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
        self.modality = reader.source.name
        self.index = index
        self.model = model
        self.options = options
        known = index.snapshot(modality=self.modality)
        incomplete = index.without_vectors(modality=self.modality)
        without_parts = lacking_parts(index, reader.source)
        self.plan = make_plan(
            listing,
            known,
            retry=options.retry,
            check_content=options.check_content,
            incomplete={**incomplete, **without_parts},
        )
        self.preparer = Preparer(
            reader,
            model,
            known,
            self.plan.gone,
            retry=options.retry,
            incomplete=incomplete,
            without_parts=without_parts,
        )
        self.known = known
        self.report = BuildReport(
            unchanged=self.plan.unchanged,
            skipped=self.plan.still_skipped,
            left_out=count_kinds(listing.left_out),
        )
        self.moved_away: set[str] = set()
        self.done = 0

    def run(self) -> None:
        self._write([_skipped(FoundItem(e.path, 0, 0), e.reason) for e in self.plan.unreadable])
        for chunk in _chunks(self.plan.to_note, 8 * self.options.batch_size):
            self._update_files([PreparedItem(found, same_content=True) for found in chunk])
        items = prefetch(
            self.preparer.prepare,
            self.plan.to_read,
            workers=self.options.threads,
            limit=2 * self.options.batch_size + self.options.threads,
        )
        bar = Progress(
            len(self.plan.to_read),
            "indexing",
            "images" if self.modality == "image" else "items",
            shown=self.options.progress,
        )
        with bar, closing(items):
            for batch in _batches(items, self.options.batch_size):
                self._commit(batch)
                self.done += len(batch)
                bar.update(len(batch))
        self._remove_gone()
        if self.preparer.summary is not None:
            self.report.notes = tuple(self.preparer.summary.lines())
        self.report.incomplete = self.index.mark_complete(modality=self.modality)

    def _commit(self, batch: Sequence[PreparedItem]) -> None:
        moves = {item.moved_from: item.found for item in batch if item.moved_from is not None}
        if moves:
            paths = {old: found.path for old, found in moves.items()}
            self.index.rename(paths, modality=self.modality)
            self.moved_away.update(moves)
            self.report.moved += len(moves)
        self._update_files([item for item in batch if item.keeps_vectors])
        self.report.edited += sum(item.edited for item in batch)
        for item in batch:
            if not item.same_content or item.for_model or item.error is not None:
                continue
            if self.known[item.found.path].state == "indexed":
                self.report.unchanged += 1
            else:
                self.report.skipped += 1
        records = [_skipped(i.found, i.error, i) for i in batch if i.error is not None]
        parts = self._parts(batch)
        added: dict[str, dict[str, Vectors]] = {}
        for spaces in sorted({item.spaces for item in batch if item.prepared is not None}):
            alike = [i for i in batch if i.prepared is not None and i.spaces == spaces]
            made = self._embed([item.prepared for item in alike], spaces)
            for item, vectors in zip(alike, made, strict=True):
                path = item.found.path
                if vectors is None:
                    records.append(_skipped(item.found, NO_VECTOR, item))
                elif spaces:
                    added[path] = vectors
                else:
                    records.append(_record(item.found, item, vectors, parts=parts.get(path, ())))
        self._add_vectors(batch, added, parts)
        self._write(records)

    def _update_files(self, items: Sequence[PreparedItem]) -> None:
        """Note what is new of the files of items whose vectors stay."""
        changed = []
        for item in items:
            known = self.known[item.moved_from or item.found.path]
            if (
                item.edited
                or item.moved_from is not None
                or item.pixel_hash is not None
                or is_outdated(known, item.found)
            ):
                changed.append((known.id, item))
        stored = self.index.items([id_ for id_, _ in changed])
        self.index.update_files(
            [_updated(item, stored[id_]) for id_, item in changed], modality=self.modality
        )

    def _remove_gone(self) -> None:
        """Delete the items that the folder no longer has, or note since when they are missing."""
        gone = self.plan.gone.keys() - self.moved_away
        away = {} if self.options.prune else {p: f for p, f in self.plan.away.items() if p in gone}
        self.report.deleted = self.index.delete(sorted(gone - away.keys()), modality=self.modality)
        new = [path for path in away if self.known[path].missing_since is None]
        if new:
            now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
            self.index.set_missing(new, now, modality=self.modality)
        self.report.missing = len(away)
        self.report.missing_folders = tuple(sorted(set(away.values())))

    def _parts(self, batch: Sequence[PreparedItem]) -> dict[str, list[Part]]:
        """Path -> embedded parts."""
        found: dict[str, list[Part]] = {}
        for spaces in sorted({item.part_spaces for item in batch if item.parts}):
            alike = [
                (item.found.path, *part)
                for item in batch
                if item.part_spaces == spaces
                for part in item.parts
            ]
            made = self._embed([prepared for _, _, prepared in alike], spaces)
            for (path, box, _), vectors in zip(alike, made, strict=True):
                if vectors is not None:
                    found.setdefault(path, []).append(Part(box, vectors))
        return found

    def _embed(
        self, prepared: Sequence[Any], spaces: Sequence[str]
    ) -> list[dict[str, Vectors] | None]:
        recipes = self.index.recipes
        dims = {name: recipes[name].dim for name in spaces or recipes}
        return embed(self.model, prepared, dims, self.options.batch_size)

    def _add_vectors(
        self,
        batch: Sequence[PreparedItem],
        added: Mapping[str, Mapping[str, Vectors]],
        parts: Mapping[str, Sequence[Part]],
    ) -> None:
        """Store vectors and parts that were missing of items whose other vectors stay."""
        known = {i.found.path: i for i in batch if i.spaces or i.part_spaces}
        parts = {path: found for path, found in parts.items() if path in known}
        self.index.add_vectors(added, parts, modality=self.modality)
        self.report.completed += sum(known[path].same_content for path in {**added, **parts})

    def _write(self, records: Sequence[Record]) -> None:
        new = [record for record in records if not self._unread_before(record)]
        self.index.write(new, modality=self.modality)
        failed = sum(record.error is not None for record in records)
        self.report.skipped += failed
        self.report.indexed += len(records) - failed

    def _unread_before(self, record: Record) -> bool:
        """Whether it is stored as such already: writing it again would outdate the FAISS files."""
        before = self.known.get(record.path)
        return (
            record.content_hash is None
            and before is not None
            and before.state == "skipped"
            and before.content_hash is None
        )


def _batches(items: Iterable[PreparedItem], size: int) -> Iterator[list[PreparedItem]]:
    """Lists, in order, of up to `size` items for the model with the items between them."""
    batch: list[PreparedItem] = []
    for_model = 0
    for item in items:
        batch.append(item)
        for_model += item.for_model
        # Items that do not need the model are small, but their number must be bounded, too.
        if for_model == size or len(batch) == 8 * size:
            yield batch
            batch, for_model = [], 0
    if batch:
        yield batch


def _chunks(items: Sequence[FoundItem], size: int) -> Iterator[Sequence[FoundItem]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _updated(item: PreparedItem, before: Item) -> FileInfo:
    """What is known of a file now whose item keeps its vectors."""
    known = {one.name: getattr(before, one.name) for one in fields(FileInfo)}
    known.update(_stats(item.found))
    if item.pixel_hash is not None:
        known["pixel_hash"] = item.pixel_hash
    if item.edited:
        known["content_hash"] = item.content_hash
        known["exif_date"] = item.info.taken if item.info else None
    return FileInfo(**known)


def _stats(found: FoundItem) -> dict[str, Any]:
    return {one.name: getattr(found, one.name) for one in fields(FoundItem)}


def _skipped(found: FoundItem, reason: str, item: PreparedItem | None = None) -> Record:
    return _record(found, item, error=reason)


def _record(
    found: FoundItem,
    item: PreparedItem | None,
    vectors: Mapping[str, Vectors] | None = None,
    error: str | None = None,
    parts: Sequence[Part] = (),
) -> Record:
    info = item.info if item else None
    return Record(
        **_stats(found),
        content_hash=item.content_hash if item else None,
        width=info.width if info else None,
        height=info.height if info else None,
        exif_date=info.taken if info else None,
        exif_orientation=info.orientation if info else None,
        frames=info.frames if info else None,
        pixel_hash=item.pixel_hash if item else None,
        needs_decoder=item.needs_decoder if item else None,
        details=details_of(info) if info else None,
        vectors=vectors,
        parts=parts,
        error=error,
    )
