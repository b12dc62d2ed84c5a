"""Questions to the catalogue. Each function runs inside the caller's transaction.

What a sound catalogue cannot hold is a ValueError here; the caller, who knows the folder, makes
`DamagedIndex` of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import bindparam, func, literal, select, true
from sqlalchemy.orm import Session

from indexes.catalogue import (
    CoverageRow,
    GalleryRow,
    PictureRow,
    PublishedRow,
    SpaceRow,
    VectorRow,
)
from indexes.errors import BadRecipe, BadVector, UnknownPicture
from indexes.nearest import IdArray, Published
from indexes.recipe import MODEL, Reading, Recipe
from indexes.records import Counts, FloatArray, Known, Picture, Place
from indexes.unit_vectors import check_unit_rows
from indexes.writing import batches

# 4096 vectors of 1280 numbers are 20 MB.
_CHUNK = 4096

_PICTURE = (
    PictureRow.id,
    PictureRow.path,
    PictureRow.size,
    PictureRow.mtime_ns,
    PictureRow.content_hash,
    PictureRow.width,
    PictureRow.height,
    PictureRow.exif_date,
    PictureRow.exif_orientation,
    PictureRow.state,
    PictureRow.error,
    GalleryRow.kind,
)


# Built once: making a statement takes longer than a search of ten thousand pictures.
_GENERATIONS = select(SpaceRow.id, SpaceRow.generation)
_PLACES = (
    select(PictureRow.id, PictureRow.path, GalleryRow.kind)
    .join(GalleryRow)
    .where(PictureRow.id.in_(bindparam("ids", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class StoredGallery:
    """A row of the galleries."""

    id: int
    root: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class StoredSpace:
    """A row of the spaces."""

    id: int
    recipe: Recipe


def galleries(session: Session, version: int) -> dict[str, StoredGallery]:
    """The galleries by kind, the first one first."""
    more = (GalleryRow.options, GalleryRow.reader) if version > 1 else (literal(""), literal(""))
    rows = session.execute(
        select(GalleryRow.id, GalleryRow.kind, GalleryRow.root, *more).order_by(GalleryRow.id)
    ).all()
    if not rows:
        raise ValueError("no gallery in it")
    try:
        return {
            kind: StoredGallery(id_, root, Reading(kind, options, reader))
            for id_, kind, root, options, reader in rows
        }
    except BadRecipe as error:
        raise ValueError(str(error)) from error


def spaces(session: Session, version: int) -> dict[str, StoredSpace]:
    """The spaces by name, the first one first."""
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
    if not rows:
        raise ValueError("no embedding space in it")
    try:
        return {row.space: StoredSpace(row.id, Recipe(*row[1:])) for row in rows}
    except BadRecipe as error:
        raise ValueError(str(error)) from error


def uncovered(session: Session, version: int) -> set[tuple[int, int]]:
    """Pairs of (space id, gallery id) where indexed pictures may lack vectors."""
    if version == 1:
        return set()
    pairs = session.execute(select(SpaceRow.id, GalleryRow.id).join(GalleryRow, true()))
    found = {(space_id, gallery_id) for space_id, gallery_id in pairs}
    rows = session.execute(select(CoverageRow.space_id, CoverageRow.gallery_id))
    return found - {(space_id, gallery_id) for space_id, gallery_id in rows}


def lacking(session: Session, gallery_id: int, space_id: int) -> list[str]:
    """Paths of indexed pictures of a gallery that have no vector in a space."""
    there = select(VectorRow.picture_id).where(VectorRow.space_id == space_id)
    return list(
        session.scalars(
            select(PictureRow.path)
            .where(
                PictureRow.gallery_id == gallery_id,
                PictureRow.state == "indexed",
                PictureRow.id.not_in(there),
            )
            .order_by(PictureRow.path)
        )
    )


def members(session: Session) -> dict[int, IdArray]:
    """Ids of the indexed pictures, ascending, by gallery id."""
    found: dict[int, list[int]] = {}
    rows = session.execute(
        select(PictureRow.gallery_id, PictureRow.id)
        .where(PictureRow.state == "indexed")
        .order_by(PictureRow.id)
    )
    for gallery_id, id_ in rows:
        found.setdefault(gallery_id, []).append(id_)
    return {gallery_id: np.array(ids, dtype=np.int64) for gallery_id, ids in found.items()}


def generations(session: Session) -> dict[int, int]:
    """Space id -> generation, which grows with every change to the space's vectors."""
    return {row[0]: row[1] for row in session.connection().execute(_GENERATIONS)}


def published(session: Session, space_id: int) -> Published | None:
    """The FAISS file that was written last, if one was."""
    row = session.get(PublishedRow, space_id)
    if row is None:
        return None
    return Published(generation=row.generation, size=row.size, sha256=row.sha256)


def known(session: Session, gallery_id: int) -> dict[str, Known]:
    """Every picture by path, with what tells whether its file has changed."""
    rows = session.execute(
        select(
            PictureRow.path,
            PictureRow.id,
            PictureRow.size,
            PictureRow.mtime_ns,
            PictureRow.content_hash,
            PictureRow.state,
        )
        .where(PictureRow.gallery_id == gallery_id)
        .order_by(PictureRow.path)
    )
    return {
        row.path: Known(row.id, row.size, row.mtime_ns, row.content_hash, row.state) for row in rows
    }


def pictures(session: Session, ids: Sequence[int]) -> dict[int, Picture]:
    """Pictures by id, in the order of `ids`.

    Raises:
        UnknownPicture: an id that is not in the catalogue.
    """
    found: dict[int, Picture] = {}
    for batch in batches(ids):
        for row in session.execute(
            select(*_PICTURE).join(GalleryRow).where(PictureRow.id.in_(batch))
        ):
            found[row.id] = Picture(**row._mapping)
    _refuse_unknown(ids, found)
    return {id_: found[id_] for id_ in ids}


def places(session: Session, ids: Sequence[int]) -> dict[int, Place]:
    """Kind and path of pictures by id.

    Raises:
        UnknownPicture: an id that is not in the catalogue.
    """
    found: dict[int, Place] = {}
    for batch in batches(ids):
        rows = session.connection().execute(_PLACES, {"ids": batch})
        found.update((row[0], Place(row[2], row[1])) for row in rows)
    _refuse_unknown(ids, found)
    return found


def skipped(session: Session, gallery_id: int) -> list[Picture]:
    """Pictures without a vector, by path."""
    rows = session.execute(
        select(*_PICTURE)
        .join(GalleryRow)
        .where(PictureRow.gallery_id == gallery_id, PictureRow.state == "skipped")
        .order_by(PictureRow.path)
    )
    return [Picture(**row._mapping) for row in rows]


def counts(session: Session, gallery_id: int) -> Counts:
    """Number of pictures by state."""
    rows = session.execute(
        select(PictureRow.state, func.count())
        .where(PictureRow.gallery_id == gallery_id)
        .group_by(PictureRow.state)
    )
    by_state = {row[0]: row[1] for row in rows}
    return Counts(indexed=by_state.get("indexed", 0), skipped=by_state.get("skipped", 0))


def vectors(session: Session, space_id: int, dim: int, ids: Sequence[int]) -> FloatArray:
    """Stored vectors, float32 (len(ids), dim), row by row as in `ids`.

    Raises:
        UnknownPicture: an id without a vector in this space.
        ValueError: stored bytes that are not a unit vector.
    """
    blobs: dict[int, bytes] = {}
    for batch in batches(ids):
        rows = session.execute(
            select(VectorRow.picture_id, VectorRow.vector).where(
                VectorRow.space_id == space_id, VectorRow.picture_id.in_(batch)
            )
        )
        blobs.update((id_, blob) for id_, blob in rows)
    _refuse_unknown(ids, blobs)
    return _decode([blobs[id_] for id_ in ids], dim)


def vector_chunks(
    session: Session, space_id: int, dim: int
) -> Iterator[tuple[IdArray, FloatArray]]:
    """All vectors of a space in the order of their ids: ids (n,) and rows (n, dim) a chunk.

    Raises:
        ValueError: stored bytes that are not a unit vector.
    """
    rows = session.execute(
        select(VectorRow.picture_id, VectorRow.vector)
        .where(VectorRow.space_id == space_id)
        .order_by(VectorRow.picture_id)
        .execution_options(yield_per=_CHUNK)
    )
    for partition in rows.partitions():
        ids = np.array([row.picture_id for row in partition], dtype=np.int64)
        yield ids, _decode([row.vector for row in partition], dim)


def contradictions(session: Session, version: int) -> list[str]:
    """What SQLite's own check, and the rule that indexed pictures have vectors, find wrong."""
    problems = [
        str(row[0])
        for row in session.connection().exec_driver_sql("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    orphans = session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        problems.append(f"{len(orphans)} rows refer to rows that do not exist")
    may_lack = uncovered(session, version)
    for gallery in galleries(session, version).values():
        for name, space in spaces(session, version).items():
            if (space.id, gallery.id) in may_lack:
                continue
            if count := len(lacking(session, gallery.id, space.id)):
                problems.append(f"{count} indexed pictures have no vector in the space {name!r}")
    count = session.scalars(
        select(func.count(PictureRow.id)).where(
            PictureRow.state == "skipped", PictureRow.id.in_(select(VectorRow.picture_id))
        )
    ).one()
    if count:
        problems.append(f"{count} skipped pictures have a vector")
    return problems


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
        raise UnknownPicture(f"no picture of this index has the id {missing[0]}.")
