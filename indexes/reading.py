"""Questions to the catalogue. Each function runs inside the caller's transaction.

What a sound catalogue cannot hold is a ValueError here; the caller, who knows the folder, makes
`DamagedIndex` of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexes.catalogue import GalleryRow, PictureRow, PublishedRow, SpaceRow, VectorRow
from indexes.errors import BadRecipe, BadVector, UnknownPicture
from indexes.nearest import IdArray, Published
from indexes.recipe import Recipe
from indexes.records import Counts, FloatArray, Known, Picture
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
)


def gallery(session: Session) -> tuple[int, str]:
    """Id and root of the gallery."""
    row = session.scalars(select(GalleryRow).order_by(GalleryRow.id)).first()
    if row is None:
        raise ValueError("no gallery in it")
    return row.id, row.root


def space(session: Session) -> tuple[int, Recipe]:
    """Id and recipe of the space."""
    row = session.scalars(select(SpaceRow).order_by(SpaceRow.id)).first()
    if row is None:
        raise ValueError("no embedding space in it")
    try:
        recipe = Recipe(
            model=row.model,
            fingerprint=row.fingerprint,
            space=row.name,
            dim=row.dim,
            preprocessing=row.preprocessing,
        )
    except BadRecipe as error:
        raise ValueError(str(error)) from error
    return row.id, recipe


def generation(session: Session, space_id: int) -> int:
    """The space's generation: it grows with every change to its vectors."""
    return session.scalars(select(SpaceRow.generation).where(SpaceRow.id == space_id)).one()


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
        for row in session.execute(select(*_PICTURE).where(PictureRow.id.in_(batch))):
            found[row.id] = Picture(**row._mapping)
    _refuse_unknown(ids, found)
    return {id_: found[id_] for id_ in ids}


def skipped(session: Session, gallery_id: int) -> list[Picture]:
    """Pictures without a vector, by path."""
    rows = session.execute(
        select(*_PICTURE)
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


def contradictions(session: Session) -> list[str]:
    """What SQLite's own check, and the rule that indexed pictures have vectors, find wrong."""
    problems = [
        str(row[0])
        for row in session.connection().exec_driver_sql("PRAGMA integrity_check")
        if row[0] != "ok"
    ]
    orphans = session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        problems.append(f"{len(orphans)} rows refer to rows that do not exist")
    # With one gallery and one space, every indexed picture has exactly one vector.
    with_vector = select(VectorRow.picture_id)
    rules = {
        "indexed pictures have no vector": (PictureRow.state == "indexed")
        & PictureRow.id.not_in(with_vector),
        "skipped pictures have a vector": (PictureRow.state == "skipped")
        & PictureRow.id.in_(with_vector),
    }
    for text, rule in rules.items():
        count = session.scalars(select(func.count(PictureRow.id)).where(rule)).one()
        if count:
            problems.append(f"{count} {text}")
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
