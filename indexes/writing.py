"""Changes to the catalogue. Each function runs inside the caller's transaction.

Whatever changes the vectors of a space also moves its generation on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from indexes.catalogue import GalleryRow, PictureRow, PublishedRow, SpaceRow, VectorRow
from indexes.errors import BadRecord, UnknownPicture
from indexes.nearest import Published
from indexes.records import Record, check_path
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


def checked_blobs(records: Sequence[Record], dim: int) -> dict[str, bytes]:
    """The bytes to store for each record that has a vector, by path.

    Raises:
        BadRecord: two records for one path.
        BadVector: a vector that does not belong in this space.
    """
    paths = [record.path for record in records]
    if len(set(paths)) != len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise BadRecord(f"{twice!r}: two records for the same path in one write.")
    return {
        record.path: check_unit_vector(record.vector, dim, f"the vector of {record.path!r}")
        .astype("<f4")
        .tobytes()
        for record in records
        if record.vector is not None
    }


def upsert(
    session: Session,
    gallery_id: int,
    space_id: int,
    records: Sequence[Record],
    blobs: Mapping[str, bytes],
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
    if blobs:
        vectors = insert(VectorRow)
        session.connection().execute(
            vectors.on_conflict_do_update(
                index_elements=["space_id", "picture_id"],
                set_={"vector": vectors.excluded["vector"]},
            ),
            [
                {"space_id": space_id, "picture_id": ids[path], "vector": blob}
                for path, blob in blobs.items()
            ],
        )
    _advance(session)


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


def ids_of(session: Session, gallery_id: int, paths: Iterable[str]) -> dict[str, int]:
    """Ids of those paths that are in the catalogue."""
    found: dict[str, int] = {}
    for batch in batches(paths):
        rows = session.execute(
            select(PictureRow.path, PictureRow.id).where(
                PictureRow.gallery_id == gallery_id, PictureRow.path.in_(batch)
            )
        )
        found.update((path, id_) for path, id_ in rows)
    return found


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


def _advance(session: Session) -> None:
    session.execute(update(SpaceRow).values(generation=SpaceRow.generation + 1))
