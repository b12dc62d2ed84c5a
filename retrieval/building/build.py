"""Bring an index up to date with its folder: plan, prepare ahead, embed, commit, batch by batch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from indexes import Index, Record
from retrieval.building.pipeline import ahead
from retrieval.building.planning import Plan, make_plan
from retrieval.building.preparing import Item, Preparer
from retrieval.errors import BuildInterrupted, RetrievalError, UsageError
from retrieval.model import Model, Vectors
from retrieval.pictures import Found, Listing
from retrieval.pictures.decoding import quiet_pillow

DEFAULT_BATCH_SIZE = 32


@dataclass
class BuildReport:
    """What one build did, in numbers of pictures. `skipped` includes those skipped before."""

    indexed: int = 0
    unchanged: int = 0
    moved: int = 0
    forgotten: int = 0
    skipped: int = 0


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
                raise UsageError(f"{name}: at least 1, not {value!r}")

    @property
    def threads(self) -> int:
        """The number of workers."""
        return self.workers or min(8, os.cpu_count() or 1)


def build(index: Index, listing: Listing, model: Model, options: BuildOptions) -> BuildReport:
    """Bring `index` up to date with `listing`, which is of the index's root.

    What is committed stays, however this ends: the next build goes on from there.

    Raises:
        BuildInterrupted: by Ctrl-C.
        indexes.IndexesError: another process is writing, the disk is full ...
    """
    with index.lock():
        run = _Build(index, listing, model, options)
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
    def __init__(self, index: Index, listing: Listing, model: Model, options: BuildOptions) -> None:
        known = index.known()
        self.index = index
        self.model = model
        self.options = options
        self.plan: Plan = make_plan(listing, known, retry=options.retry)
        self.preparer = Preparer(index.root, model, known, self.plan.gone, retry=options.retry)
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
            unit=" pictures",
            disable=None if self.options.progress else True,
        )
        with bar, closing(items):
            for batch in _batches(items, self.options.batch_size):
                self._commit(batch)
                self.done += len(batch)
                bar.update(len(batch))
        gone = self.plan.gone.keys() - self.moved_away
        self.report.forgotten = self.index.forget(sorted(gone))

    def _commit(self, batch: Sequence[Item]) -> None:
        moves = {item.moved_from: item.found for item in batch if item.moved_from is not None}
        same = [item.found for item in batch if item.same_content]
        if moves:
            self.index.rename({old: found.path for old, found in moves.items()})
            self.moved_away.update(moves)
            self.report.moved += len(moves)
        times = {found.path: found.mtime_ns for found in (*moves.values(), *same)}
        if times:
            self.index.touch(times)
        for found in same:
            if self.known[found.path].state == "indexed":
                self.report.unchanged += 1
            else:
                self.report.skipped += 1
        failed = [_skipped(i.found, i.error, i) for i in batch if i.error is not None]
        self._write([*self._embedded([i for i in batch if i.prepared is not None]), *failed])

    def _embedded(self, items: Sequence[Item]) -> Iterator[Record]:
        if not items:
            return
        recipe = self.index.recipe
        vectors = self.model.embed([item.prepared for item in items], space=recipe.space)
        if vectors.shape != (len(items), recipe.dim):
            raise RetrievalError(
                f"the model {self.model.name!r} gave vectors of shape {vectors.shape} for "
                f"{len(items)} pictures, expected {(len(items), recipe.dim)}"
            )
        for item, vector in zip(items, vectors, strict=True):
            # NaN compares false; a zero vector is a picture that the model makes nothing of.
            if abs(float(np.linalg.norm(vector)) - 1.0) < 1e-3:
                yield _record(item.found, item, {recipe.space: vector})
            else:
                yield _skipped(item.found, "the model gave no unit vector for it", item)

    def _write(self, records: Sequence[Record]) -> None:
        self.index.write([record for record in records if not self._unread_before(record)])
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
    vectors: dict[str, Vectors] | None = None,
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
