"""Changes to the catalogue. Each function runs inside the caller's transaction.

Whatever changes the vectors of a space, or completes them, also moves its generation on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from indexes.catalogue import (
    CoverageRow,
    GalleryRow,
    PictureRow,
    PublishedRow,
    SpaceRow,
    VectorRow,
)
from indexes.errors import BadRecord, UnknownPicture
from indexes.nearest import Published
from indexes.recipe import Reading, Recipe
from indexes.records import FloatArray, Record, State, check_path
from indexes.unit_vectors import check_unit_vector

T = TypeVar("T")

# Older SQLite allows 999 values in a statement.
_BATCH = 500

_FACTS = (
    "size",
    "mtime_ns",
    "content_hash",
    "width",
    "height",
    "exif_date",
    "exif_orientation",
    "state",
    "error",
)


def batches(items: Iterable[T], size: int = _BATCH) -> Iterator[list[T]]:
    """Lists of at most `size` items, in order."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def add_gallery(session: Session, reading: Reading, root: str) -> None:
    """A new gallery; without pictures it lacks none in any space."""
    row = GalleryRow(kind=reading.kind, root=root, options=reading.options, reader=reading.reader)
    session.add(row)
    session.flush()
    for space_id in session.scalars(select(SpaceRow.id)).all():
        session.add(CoverageRow(space_id=space_id, gallery_id=row.id))


def add_space(session: Session, recipe: Recipe) -> None:
    """A new space; galleries that have pictures are not covered by it."""
    row = SpaceRow(
        name=recipe.space,
        model=recipe.model,
        fingerprint=recipe.fingerprint,
        dim=recipe.dim,
        preprocessing=recipe.preprocessing,
        encoder=recipe.encoder,
    )
    session.add(row)
    session.flush()
    filled = select(PictureRow.gallery_id).where(PictureRow.state == "indexed")
    for gallery_id in session.scalars(select(GalleryRow.id).where(GalleryRow.id.not_in(filled))):
        session.add(CoverageRow(space_id=row.id, gallery_id=gallery_id))


def cover(session: Session, gallery_id: int, space_id: int) -> None:
    """Note that all indexed pictures of the gallery have vectors in the space now."""
    session.merge(CoverageRow(space_id=space_id, gallery_id=gallery_id))
    _advance(session, [space_id])


def checked_blobs(
    vectors: Mapping[str, FloatArray], dims: Mapping[str, int], path: str
) -> dict[str, bytes]:
    """The bytes to store for the vectors of one picture, by space.

    Raises:
        BadRecord: a space that the index does not have.
        BadVector: a vector that does not belong in its space.
    """
    if unknown := sorted(vectors.keys() - dims.keys()):
        raise BadRecord(
            f"{path!r}: a vector in the space {unknown[0]!r}; the index has {', '.join(dims)}."
        )
    return {
        space: check_unit_vector(vector, dims[space], f"the vector of {path!r} in {space!r}")
        .astype("<f4")
        .tobytes()
        for space, vector in vectors.items()
    }


def blobs_of_records(
    records: Sequence[Record], dims: Mapping[str, int]
) -> dict[str, dict[str, bytes]]:
    """The bytes to store, by path and space, for each record that has vectors.

    Raises:
        BadRecord: two records for one path; a record without a vector in one of the spaces.
        BadVector: a vector that does not belong in its space.
    """
    paths = [record.path for record in records]
    if len(set(paths)) != len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise BadRecord(f"{twice!r}: two records for the same path in one write.")
    blobs = {
        record.path: checked_blobs(record.vectors, dims, record.path)
        for record in records
        if record.vectors is not None
    }
    for path, found in blobs.items():
        if lacking := [space for space in dims if space not in found]:
            raise BadRecord(f"{path!r}: no vector in the space {lacking[0]!r} of the index.")
    return blobs


def upsert(
    session: Session,
    gallery_id: int,
    space_ids: Mapping[str, int],
    records: Sequence[Record],
    blobs: Mapping[str, Mapping[str, bytes]],
) -> None:
    """Store pictures and their vectors; a known path keeps its id."""
    rows = [_columns(gallery_id, record) for record in records]
    statement = insert(PictureRow)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["gallery_id", "path"],
            set_={name: statement.excluded[name] for name in _FACTS},
        ),
        rows,
    )
    ids = ids_of(session, gallery_id, [record.path for record in records])
    skipped = [ids[record.path] for record in records if record.path not in blobs]
    for batch in batches(skipped):
        session.execute(delete(VectorRow).where(VectorRow.picture_id.in_(batch)))
    _store(session, space_ids, ids, blobs)
    _advance(session)


def fill(
    session: Session,
    gallery_id: int,
    space_ids: Mapping[str, int],
    blobs: Mapping[str, Mapping[str, bytes]],
) -> None:
    """Store vectors of pictures that are known already.

    Raises:
        UnknownPicture: a path that is not in the catalogue, or was skipped.
    """
    ids = ids_of(session, gallery_id, blobs, state="indexed")
    for path in blobs:
        if path not in ids:
            raise UnknownPicture(f"{path!r}: no indexed picture of this gallery has that path.")
    _store(session, space_ids, ids, blobs)
    _advance(session, {space_ids[space] for found in blobs.values() for space in found})


def forget(session: Session, gallery_id: int, paths: Iterable[str]) -> int:
    """Remove pictures and, by the foreign key, their vectors; return how many there were."""
    removed = 0
    for batch in batches(paths):
        ids = list(ids_of(session, gallery_id, batch).values())
        session.execute(delete(PictureRow).where(PictureRow.id.in_(ids)))
        removed += len(ids)
    if removed:
        _advance(session)
    return removed


def rename(session: Session, gallery_id: int, moves: Mapping[str, str]) -> None:
    """Give pictures new paths, all at once, so that names may be swapped.

    Raises:
        UnknownPicture: an old path that is not in the catalogue.
        BadRecord: a new path that is not free, or twice.
    """
    new_paths = [check_path(path) for path in moves.values()]
    if len(set(new_paths)) != len(new_paths):
        raise BadRecord("rename: two pictures cannot get the same path.")
    ids = ids_of(session, gallery_id, moves)
    for old in moves:
        if old not in ids:
            raise UnknownPicture(f"{old!r}: no picture of this index has that path.")
    for taken in ids_of(session, gallery_id, new_paths):
        if taken not in moves:
            raise BadRecord(f"{taken!r}: already in the catalogue; forget it before the rename.")
    # A leading slash is in no picture's path, so these names collide with none.
    for id_ in ids.values():
        session.execute(update(PictureRow).where(PictureRow.id == id_).values(path=f"/{id_}"))
    for old, new in moves.items():
        session.execute(update(PictureRow).where(PictureRow.id == ids[old]).values(path=new))


def touch(session: Session, gallery_id: int, mtimes: Mapping[str, int]) -> None:
    """Set the times of last change of files whose content is still the same.

    Raises:
        UnknownPicture: a path that is not in the catalogue.
    """
    ids = ids_of(session, gallery_id, mtimes)
    for path, mtime_ns in mtimes.items():
        if path not in ids:
            raise UnknownPicture(f"{path!r}: no picture of this index has that path.")
        row = update(PictureRow).where(PictureRow.id == ids[path])
        session.execute(row.values(mtime_ns=mtime_ns))


def relocate(session: Session, gallery_id: int, root: str) -> None:
    """Set the gallery's root."""
    session.execute(update(GalleryRow).where(GalleryRow.id == gallery_id).values(root=root))


def remember_published(session: Session, space_id: int, published: Published) -> None:
    """Note which FAISS file holds the vectors of a space."""
    session.merge(
        PublishedRow(
            space_id=space_id,
            generation=published.generation,
            size=published.size,
            sha256=published.sha256,
        )
    )


def ids_of(
    session: Session, gallery_id: int, paths: Iterable[str], state: State | None = None
) -> dict[str, int]:
    """Ids of those paths that are in the catalogue, in any state or that one."""
    found: dict[str, int] = {}
    for batch in batches(paths):
        question = select(PictureRow.path, PictureRow.id).where(
            PictureRow.gallery_id == gallery_id, PictureRow.path.in_(batch)
        )
        if state is not None:
            question = question.where(PictureRow.state == state)
        found.update((path, id_) for path, id_ in session.execute(question))
    return found


def _store(
    session: Session,
    space_ids: Mapping[str, int],
    ids: Mapping[str, int],
    blobs: Mapping[str, Mapping[str, bytes]],
) -> None:
    rows = [
        {"space_id": space_ids[space], "picture_id": ids[path], "vector": blob}
        for path, found in blobs.items()
        for space, blob in found.items()
    ]
    if rows:
        vectors = insert(VectorRow)
        session.connection().execute(
            vectors.on_conflict_do_update(
                index_elements=["space_id", "picture_id"],
                set_={"vector": vectors.excluded["vector"]},
            ),
            rows,
        )


def _columns(gallery_id: int, record: Record) -> dict[str, Any]:
    error = record.error
    return {
        "gallery_id": gallery_id,
        "path": record.path,
        "size": record.size,
        "mtime_ns": record.mtime_ns,
        "content_hash": record.content_hash,
        "width": record.width,
        "height": record.height,
        "exif_date": record.exif_date,
        "exif_orientation": record.exif_orientation,
        "state": "indexed" if error is None else "skipped",
        # Messages quote file names, and those need not be valid text.
        "error": None if error is None else error.encode("utf-8", "backslashreplace").decode(),
    }


def _advance(session: Session, space_ids: Iterable[int] | None = None) -> None:
    moved = update(SpaceRow).values(generation=SpaceRow.generation + 1)
    session.execute(moved if space_ids is None else moved.where(SpaceRow.id.in_(list(space_ids))))
