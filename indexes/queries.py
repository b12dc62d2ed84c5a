"""SELECTs on the catalogue. Each function runs inside the caller's transaction.

A value that a sound catalogue cannot have raises ValueError, which the caller, who knows the
folder, turns into `DamagedIndex`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import ColumnElement, bindparam, func, inspect, literal, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexes.errors import BadRecipe, BadVector, UnknownItem
from indexes.migration import version as format_of
from indexes.nearest import Published
from indexes.recipe import MODEL, Reading, Recipe
from indexes.records import Counts, FloatArray, IdArray, Item, ItemPath, SnapshotEntry
from indexes.tables import (
    CoverageRow,
    GalleryRow,
    IdentityRow,
    ItemRow,
    PartVectorRow,
    PrecisionRow,
    PublishedRow,
    SpaceRow,
    VectorRow,
)
from indexes.unit_vectors import check_unit_rows

T = TypeVar("T")

# Older SQLite allows 999 values in a statement.
_BATCH = 500
# 4096 vectors of 1280 numbers are 20 MB.
_CHUNK = 4096

_ITEM = (
    ItemRow.id,
    ItemRow.path,
    ItemRow.size,
    ItemRow.mtime_ns,
    ItemRow.content_hash,
    ItemRow.width,
    ItemRow.height,
    ItemRow.exif_date,
    ItemRow.exif_orientation,
    ItemRow.state,
    ItemRow.error,
    GalleryRow.modality,
)
_SINCE_3: Mapping[str, InstrumentedAttribute[Any]] = {
    "ctime_ns": ItemRow.ctime_ns,
    "inode": ItemRow.inode,
    "pixel_hash": ItemRow.pixel_hash,
    "frames": ItemRow.frames,
    "needs_decoder": ItemRow.needs_decoder,
    "missing_since": ItemRow.missing_since,
}
_SNAPSHOT = (
    ItemRow.id,
    ItemRow.size,
    ItemRow.mtime_ns,
    ItemRow.content_hash,
    ItemRow.state,
    ItemRow.error,
)

# Built once: building a statement takes longer than a search among ten thousand items.
_GENERATIONS = select(SpaceRow.id, SpaceRow.generation, literal(None))
_GENERATIONS_OF_INDEX = select(
    SpaceRow.id, SpaceRow.generation, select(IdentityRow.index_id).scalar_subquery()
)
_PATHS = (
    select(ItemRow.id, ItemRow.path, GalleryRow.modality)
    .join(GalleryRow)
    .where(ItemRow.id.in_(bindparam("ids", expanding=True)))
)
_PATHS_AND_FRAMES = _PATHS.add_columns(ItemRow.frames)


def batches(items: Iterable[T], size: int = _BATCH) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


@dataclass(frozen=True, slots=True)
class StoredGallery:
    """A row of the table of galleries; `exclude` are patterns of names to leave out."""

    id: int
    root: str
    reading: Reading
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredSpace:
    """A row of the table of spaces."""

    id: int
    recipe: Recipe


def galleries(session: Session, version: int) -> dict[str, StoredGallery]:
    """Modality -> gallery, the first gallery first."""
    more = (GalleryRow.options, GalleryRow.reader) if version > 1 else (literal(""), literal(""))
    exclude = GalleryRow.exclude if version > 2 else literal("").label("exclude")
    rows = session.execute(
        select(GalleryRow.id, GalleryRow.modality, GalleryRow.root, exclude, *more).order_by(
            GalleryRow.id
        )
    ).all()
    if not rows:
        raise ValueError("it has no gallery")
    if not all(isinstance(row.root, str) and row.root for row in rows):
        raise ValueError("a gallery has no root")
    if not all(isinstance(row.exclude, str) for row in rows):
        raise ValueError("the excluded names of a gallery are damaged")
    try:
        return {
            modality: StoredGallery(
                id_, root, Reading(modality, options, reader), tuple(patterns.splitlines())
            )
            for id_, modality, root, patterns, options, reader in rows
        }
    except BadRecipe as error:
        raise ValueError(str(error)) from error


def spaces(session: Session, version: int) -> dict[str, StoredSpace]:
    """Name -> space, the first space first."""
    rows = session.execute(
        select(
            SpaceRow.id,
            SpaceRow.model,
            SpaceRow.fingerprint,
            SpaceRow.name.label("space"),
            SpaceRow.dim,
            SpaceRow.preprocessing,
            (SpaceRow.encoder if version > 1 else literal(MODEL)).label("encoder"),
        ).order_by(SpaceRow.id)
    ).all()
    precisions = _precisions(session)
    if not rows:
        raise ValueError("it has no embedding space")
    try:
        return {
            row.space: StoredSpace(row.id, Recipe(*row[1:], precisions.get(row.id))) for row in rows
        }
    except BadRecipe as error:
        raise ValueError(str(error)) from error


def _precisions(session: Session) -> dict[int, str]:
    """Space id -> precision, of the spaces that have one."""
    if not inspect(session.connection()).has_table(PrecisionRow.__tablename__):
        return {}
    rows = session.execute(select(PrecisionRow.space_id, PrecisionRow.precision))
    return {row.space_id: row.precision for row in rows}


def uncovered(session: Session, version: int) -> set[tuple[int, int]]:
    """Pairs (space id, gallery id) of which some indexed items may have no vector."""
    if version == 1:
        return set()
    pairs = session.execute(select(SpaceRow.id, GalleryRow.id).join(GalleryRow, true()))
    found = {(space_id, gallery_id) for space_id, gallery_id in pairs}
    rows = session.execute(select(CoverageRow.space_id, CoverageRow.gallery_id))
    return found - {(space_id, gallery_id) for space_id, gallery_id in rows}


def without_vector(session: Session, gallery_id: int, space_id: int) -> list[str]:
    """Paths of the indexed items of a gallery that have no vector in a space, sorted."""
    stored = select(VectorRow.item_id).where(VectorRow.space_id == space_id)
    return list(
        session.scalars(
            select(ItemRow.path)
            .where(
                ItemRow.gallery_id == gallery_id,
                ItemRow.state == "indexed",
                ItemRow.id.not_in(stored),
            )
            .order_by(ItemRow.path)
        )
    )


def without_vectors(
    session: Session, version: int, spaces: Mapping[str, StoredSpace], gallery_id: int
) -> dict[str, tuple[str, ...]]:
    """Path -> names of the incomplete spaces in which that indexed item has no vector."""
    pairs = uncovered(session, version)
    found: dict[str, tuple[str, ...]] = {}
    for name, space in spaces.items():
        if (space.id, gallery_id) in pairs:
            for path in without_vector(session, gallery_id, space.id):
                found[path] = (*found.get(path, ()), name)
    return found


def members(session: Session) -> dict[int, IdArray]:
    """Gallery id -> ids of its indexed items, int64, ascending."""
    found: dict[int, list[int]] = {}
    rows = session.execute(
        select(ItemRow.gallery_id, ItemRow.id)
        .where(ItemRow.state == "indexed")
        .order_by(ItemRow.id)
    )
    for gallery_id, id_ in rows:
        found.setdefault(gallery_id, []).append(id_)
    return {gallery_id: np.array(ids, dtype=np.int64) for gallery_id, ids in found.items()}


def index_id(session: Session, version: int) -> str | None:
    """The id of the index; None before format 3.

    Raises:
        ValueError: it has none.
    """
    if version < 3:
        return None
    found = session.scalars(select(IdentityRow.index_id)).first()
    if found is None:
        raise ValueError("it has no id")
    return found


def generations(session: Session, version: int) -> dict[int, tuple[int, str | None]]:
    """Space id -> generation and index id; the generation grows with every change to its vectors.

    Two indexes may have the same generation, and one may be copied over the other. Before format 3
    there is no index id.
    """
    query = _GENERATIONS if version < 3 else _GENERATIONS_OF_INDEX
    return {row[0]: (row[1], row[2]) for row in session.connection().execute(query)}


def published(session: Session, space_id: int) -> Published | None:
    """The FAISS file that was written last, or None."""
    row = session.get(PublishedRow, space_id)
    if row is None:
        return None
    return Published(generation=row.generation, size=row.size, sha256=row.sha256)


def snapshot(session: Session, version: int, gallery_id: int) -> dict[str, SnapshotEntry]:
    """Path -> entry of every item of a gallery, sorted by path."""
    rows = session.execute(
        select(ItemRow.path, *_SNAPSHOT, *_since_3(session, version))
        .where(ItemRow.gallery_id == gallery_id)
        .order_by(ItemRow.path)
    )
    return {
        row.path: SnapshotEntry(
            row.id,
            row.size,
            row.mtime_ns,
            row.content_hash,
            row.state,
            row.error,
            row.ctime_ns,
            row.inode,
            row.pixel_hash,
            row.needs_decoder,
            row.missing_since,
        )
        for row in rows
    }


def items(session: Session, version: int, ids: Sequence[int]) -> dict[int, Item]:
    """Id -> item, in the order of `ids`.

    Raises:
        UnknownItem: an id that is not in the catalogue.
    """
    found: dict[int, Item] = {}
    columns = (*_ITEM, *_since_3(session, version))
    for batch in batches(ids):
        chosen = select(*columns).join(GalleryRow).where(ItemRow.id.in_(batch))
        rows = session.execute(chosen)
        found.update((row.id, Item(**row._mapping)) for row in rows)
    _refuse_unknown(ids, found)
    return {id_: found[id_] for id_ in ids}


def item_paths(
    session: Session, version: int, ids: Sequence[int]
) -> tuple[dict[int, ItemPath], dict[int, int]]:
    """Of items that have vectors: id -> modality and path, and id -> frames where known.

    Raises:
        ValueError: an id that is not in the catalogue.
    """
    found: dict[int, ItemPath] = {}
    frames: dict[int, int] = {}
    statement = _PATHS_AND_FRAMES if version >= 3 else _PATHS
    for batch in batches(ids):
        for id_, path, modality, *rest in session.connection().execute(statement, {"ids": batch}):
            found[id_] = ItemPath(modality, path)
            if rest and rest[0] is not None:
                frames[id_] = rest[0]
    if len(found) < len(ids):
        raise ValueError("a vector belongs to no item")
    return found, frames


def skipped(session: Session, version: int, gallery_id: int) -> list[Item]:
    """Items of a gallery without vectors, sorted by path."""
    rows = session.execute(
        select(*_ITEM, *_since_3(session, version))
        .join(GalleryRow)
        .where(ItemRow.gallery_id == gallery_id, ItemRow.state == "skipped")
        .order_by(ItemRow.path)
    )
    return [Item(**row._mapping) for row in rows]


def counts(session: Session, version: int, gallery_id: int) -> Counts:
    """Number of items of a gallery by state."""
    *_, since = _since_3(session, version)
    is_missing = since.is_not(None)
    rows = session.execute(
        select(ItemRow.state, is_missing, func.count())
        .where(ItemRow.gallery_id == gallery_id)
        .group_by(ItemRow.state, is_missing)
    )
    found = {(state, bool(missing)): count for state, missing, count in rows}
    return Counts(
        indexed=found.get(("indexed", False), 0),
        skipped=found.get(("skipped", False), 0),
        missing=found.get(("indexed", True), 0) + found.get(("skipped", True), 0),
    )


def vectors(session: Session, space_id: int, dim: int, ids: Sequence[int]) -> FloatArray:
    """Stored vectors, float32 (len(ids), dim), in the order of `ids`.

    Raises:
        UnknownItem: an id without a vector in this space.
        ValueError: a stored vector that is damaged.
    """
    blobs: dict[int, bytes] = {}
    for batch in batches(ids):
        rows = session.execute(
            select(VectorRow.item_id, VectorRow.vector).where(
                VectorRow.space_id == space_id, VectorRow.item_id.in_(batch)
            )
        )
        blobs.update((id_, blob) for id_, blob in rows)
    _refuse_unknown(ids, blobs)
    return _decode([blobs[id_] for id_ in ids], dim)


def vector_chunks(
    session: Session, space_id: int, dim: int, *, missing: bool = False
) -> Iterator[tuple[IdArray, FloatArray]]:
    """The vectors of a space in chunks of ids int64 (n,), ascending, and rows float32 (n, dim).

    After the vector of an item come those of its parts, with the same id.

    Args:
        session: of the transaction.
        space_id: the space.
        dim: length of its vectors.
        missing: also those of items whose files are missing.

    Raises:
        ValueError: a stored vector that is damaged.
    """
    since_3 = format_of(session.connection()) >= 3
    hidden = select(ItemRow.id).where(ItemRow.missing_since.is_not(None))
    numbers: dict[type[VectorRow | PartVectorRow], Any] = {VectorRow: literal(0)}
    if since_3 and _any_parts(session, space_id):
        numbers[PartVectorRow] = PartVectorRow.part
    kinds = []
    for row, number in numbers.items():
        columns = (row.item_id.label("item_id"), row.vector, number.label("part"))
        wanted = select(*columns).where(row.space_id == space_id)
        if not missing and since_3:
            wanted = wanted.where(row.item_id.not_in(hidden))
        kinds.append(wanted)
    ordered = union_all(*kinds).order_by("item_id", "part")
    rows = session.execute(ordered.execution_options(yield_per=_CHUNK))
    for partition in rows.partitions():
        ids = np.array([row.item_id for row in partition], dtype=np.int64)
        yield ids, _decode([row.vector for row in partition], dim)


def _any_parts(session: Session, space_id: int) -> bool:
    parts = select(PartVectorRow.part).where(PartVectorRow.space_id == space_id).limit(1)
    return session.scalars(parts).first() is not None


def contradictions(session: Session, version: int) -> list[str]:
    """What the checks of SQLite and the rule that indexed items have vectors find wrong."""
    problems = [
        str(row[0])
        for row in session.connection().exec_driver_sql("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    orphans = session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        problems.append(f"{len(orphans)} rows refer to rows that do not exist")
    incomplete = uncovered(session, version)
    for gallery in galleries(session, version).values():
        for name, space in spaces(session, version).items():
            if (space.id, gallery.id) in incomplete:
                continue
            if count := len(without_vector(session, gallery.id, space.id)):
                problems.append(f"{count} indexed items have no vector in the space {name!r}")
    count = session.scalars(
        select(func.count(ItemRow.id)).where(
            ItemRow.state == "skipped", ItemRow.id.in_(select(VectorRow.item_id))
        )
    ).one()
    if count:
        problems.append(f"{count} skipped items have a vector")
    if version >= 3 and (count := _parts_alone(session)):
        problems.append(f"{count} parts belong to an item without a vector")
    return problems


def _parts_alone(session: Session) -> int:
    whole = (VectorRow.space_id == PartVectorRow.space_id) & (
        VectorRow.item_id == PartVectorRow.item_id
    )
    alone = select(func.count()).select_from(PartVectorRow).outerjoin(VectorRow, whole)
    return session.scalars(alone.where(VectorRow.item_id.is_(None))).one()


def _since_3(session: Session, version: int) -> tuple[ColumnElement[Any], ...]:
    """The columns of an item that are new in format 3; NULL in a catalogue of an older one.

    `version` is the one that was last seen: another process may have upgraded it since.
    """
    if version >= 3 or format_of(session.connection()) >= 3:
        return tuple(column.label(name) for name, column in _SINCE_3.items())
    return tuple(literal(None).label(name) for name in _SINCE_3)


def _decode(blobs: Sequence[bytes], dim: int) -> FloatArray:
    if any(len(blob) != 4 * dim for blob in blobs):
        raise ValueError("a stored vector has the wrong length")
    rows = np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(blobs), dim)
    try:
        return check_unit_rows(rows.astype(np.float32, copy=False), dim, "a stored vector")
    except BadVector as error:
        raise ValueError(str(error)) from error


def _refuse_unknown(ids: Sequence[int], found: Mapping[int, object]) -> None:
    missing = [id_ for id_ in ids if id_ not in found]
    if missing:
        raise UnknownItem(f"the index has no item with the id {missing[0]}")
