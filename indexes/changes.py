"""Changes to the catalogue. Each function runs inside the caller's transaction.

A change to the vectors of a space, or the mark that it is complete, increments its generation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from indexes.detail_rows import forget_details, store_details
from indexes.errors import BadRecord, UnknownItem
from indexes.migration import new_index_id
from indexes.nearest import Published
from indexes.queries import batches, uncovered, without_vector
from indexes.recipe import Reading, Recipe
from indexes.records import FileInfo, FloatArray, Record, State, check_path
from indexes.tables import (
    FORMAT_VERSION,
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
from indexes.unit_vectors import check_unit_vector

_FILE_COLUMNS = tuple(one.name for one in fields(FileInfo) if one.name != "path")
_COLUMNS = (*_FILE_COLUMNS, "state", "error", "missing_since")


def identify(session: Session) -> None:
    """Give a new index an id that no other has."""
    session.add(IdentityRow(index_id=new_index_id()))


def add_gallery(session: Session, reading: Reading, root: str) -> None:
    """A new gallery, which has no items yet and so is complete in every space."""
    row = GalleryRow(
        modality=reading.modality, root=root, options=reading.options, reader=reading.reader
    )
    session.add(row)
    session.flush()
    for space_id in session.scalars(select(SpaceRow.id)).all():
        session.add(CoverageRow(space_id=space_id, gallery_id=row.id))


def add_space(session: Session, recipe: Recipe) -> None:
    """A new space, which is incomplete for the galleries that have items."""
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
    if recipe.precision is not None:
        PrecisionRow.__table__.create(session.connection(), checkfirst=True)  # type: ignore[attr-defined]
        session.add(PrecisionRow(space_id=row.id, precision=recipe.precision))
    with_items = select(ItemRow.gallery_id).where(ItemRow.state == "indexed")
    empty = select(GalleryRow.id).where(GalleryRow.id.not_in(with_items))
    for gallery_id in session.scalars(empty):
        session.add(CoverageRow(space_id=row.id, gallery_id=gallery_id))


def mark_complete(
    session: Session, gallery_id: int, space_ids: Mapping[str, int]
) -> dict[str, int]:
    """Mark the spaces that have a vector of every indexed item of a gallery as complete.

    Returns:
        Space -> number of indexed items without a vector in it, where there are any.
    """
    missing: dict[str, int] = {}
    incomplete = uncovered(session, FORMAT_VERSION)
    for name, space_id in space_ids.items():
        if (space_id, gallery_id) not in incomplete:
            continue
        if paths := without_vector(session, gallery_id, space_id):
            missing[name] = len(paths)
        else:
            session.merge(CoverageRow(space_id=space_id, gallery_id=gallery_id))
            increment_generations(session, [space_id])
    return missing


def checked_blobs(
    vectors: Mapping[str, FloatArray], dims: Mapping[str, int], path: str
) -> dict[str, bytes]:
    """Space -> bytes to store for the vectors of one item.

    Raises:
        BadRecord: a space that the index does not have.
        BadVector: a vector that is not float32, of shape (dim,), finite and of unit length.
    """
    if unknown := sorted(vectors.keys() - dims.keys()):
        raise BadRecord(
            f"a vector in the space {unknown[0]!r}; the index has {', '.join(dims)}",
            where=repr(path),
        )
    return {
        space: check_unit_vector(vector, dims[space], f"vector of {path!r} in {space!r}")
        .astype("<f4")
        .tobytes()
        for space, vector in vectors.items()
    }


def blobs_of_records(
    records: Sequence[Record], dims: Mapping[str, int]
) -> dict[str, dict[str, bytes]]:
    """Path -> space -> bytes to store, for each record that has vectors.

    Raises:
        BadRecord: two records for one path; a record without a vector in one of the spaces.
        BadVector: a vector that is not float32, of shape (dim,), finite and of unit length.
    """
    paths = [record.path for record in records]
    if len(set(paths)) != len(paths):
        twice = next(path for path, count in Counter(paths).items() if count > 1)
        raise BadRecord("two records for the same path in one write", where=repr(twice))
    blobs = {
        record.path: checked_blobs(record.vectors, dims, record.path)
        for record in records
        if record.vectors is not None
    }
    for path, found in blobs.items():
        if missing := [space for space in dims if space not in found]:
            raise BadRecord(f"no vector in the space {missing[0]!r} of the index", where=repr(path))
    return blobs


def upsert(
    session: Session,
    gallery_id: int,
    space_ids: Mapping[str, int],
    records: Sequence[Record],
    blobs: Mapping[str, Mapping[str, bytes]],
) -> None:
    """Store items and their vectors; a path that is already stored keeps its id."""
    rows = [_column_values(gallery_id, record) for record in records]
    statement = insert(ItemRow)
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["gallery_id", "path"],
            set_={name: statement.excluded[name] for name in _COLUMNS},
        ),
        rows,
    )
    ids = ids_of(session, gallery_id, [record.path for record in records])
    skipped = [ids[record.path] for record in records if record.path not in blobs]
    for batch in batches(skipped):
        session.execute(delete(VectorRow).where(VectorRow.item_id.in_(batch)))
    for batch in batches(ids.values()):
        session.execute(delete(PartVectorRow).where(PartVectorRow.item_id.in_(batch)))
    forget_details(session, ids.values())
    told = {ids[one.path]: one.details for one in records if one.details is not None}
    store_details(session, told)
    _store_vectors(session, space_ids, ids, blobs)
    increment_generations(session)


def add_vectors(
    session: Session,
    gallery_id: int,
    space_ids: Mapping[str, int],
    blobs: Mapping[str, Mapping[str, bytes]],
) -> None:
    """Store vectors of items that are indexed already.

    Raises:
        UnknownItem: no indexed item of the gallery has such a path.
    """
    ids = ids_of(session, gallery_id, blobs, state="indexed")
    for path in blobs:
        if path not in ids:
            raise UnknownItem("no indexed item of this gallery has that path", where=repr(path))
    _store_vectors(session, space_ids, ids, blobs)
    increment_generations(
        session, {space_ids[space] for found in blobs.values() for space in found}
    )


def delete_items(session: Session, gallery_id: int, paths: Iterable[str]) -> int:
    """Delete items and, by the foreign key, their vectors; return how many were deleted."""
    removed = 0
    for batch in batches(paths):
        ids = list(ids_of(session, gallery_id, batch).values())
        session.execute(delete(ItemRow).where(ItemRow.id.in_(ids)))
        removed += len(ids)
    if removed:
        increment_generations(session)
    return removed


def rename(session: Session, gallery_id: int, moves: Mapping[str, str]) -> None:
    """Give items new paths, all at once, so that names may be swapped.

    Raises:
        UnknownItem: an old path that is not in the catalogue.
        BadRecord: a new path that is malformed, already taken, or there twice.
    """
    new_paths = [check_path(path) for path in moves.values()]
    if len(set(new_paths)) != len(new_paths):
        raise BadRecord("rename: two items cannot have the same path")
    ids = ids_of(session, gallery_id, moves)
    for old in moves:
        if old not in ids:
            raise UnknownItem("no item of this gallery has that path", where=repr(old))
    for taken in ids_of(session, gallery_id, new_paths):
        if taken not in moves:
            raise BadRecord(
                "another item has that path; delete it before the rename", where=repr(taken)
            )
    # No stored path begins with a slash, so these names collide with none.
    for id_ in ids.values():
        session.execute(update(ItemRow).where(ItemRow.id == id_).values(path=f"/{id_}"))
    for old, new in moves.items():
        session.execute(update(ItemRow).where(ItemRow.id == ids[old]).values(path=new))


def update_files(session: Session, gallery_id: int, files: Sequence[FileInfo]) -> None:
    """Store what is known of files whose vectors stay, and that they are there.

    Raises:
        UnknownItem: a path that is not in the catalogue.
    """
    ids = _known_ids(session, gallery_id, [file.path for file in files])
    back = 0
    for batch in batches(ids.values()):
        was_missing = ItemRow.id.in_(batch), ItemRow.missing_since.is_not(None)
        back += session.execute(select(func.count(ItemRow.id)).where(*was_missing)).scalar_one()
    hashes = {ids[file.path]: file.content_hash for file in files}
    for batch in batches(hashes):
        stored = select(ItemRow.id, ItemRow.content_hash).where(ItemRow.id.in_(batch))
        edited = [row.id for row in session.execute(stored) if row.content_hash != hashes[row.id]]
        forget_details(session, edited)  # they are read again when the build ends
    rows = [{"id": ids[file.path], "missing_since": None, **_file_columns(file)} for file in files]
    session.execute(update(ItemRow), rows)
    if back:
        increment_generations(session)


def set_missing(
    session: Session, gallery_id: int, paths: Iterable[str], since: datetime | None
) -> None:
    """Hide items from searches since their files are missing, or show them again (None).

    Raises:
        UnknownItem: a path that is not in the catalogue.
    """
    ids = _known_ids(session, gallery_id, list(paths))
    for batch in batches(ids.values()):
        rows = update(ItemRow).where(ItemRow.id.in_(batch))
        session.execute(rows.values(missing_since=since))
    if ids:
        increment_generations(session)


def relocate(session: Session, gallery_id: int, root: str) -> None:
    """Set the root of a gallery."""
    session.execute(update(GalleryRow).where(GalleryRow.id == gallery_id).values(root=root))


def set_exclude(session: Session, gallery_id: int, patterns: Sequence[str]) -> None:
    """Set the patterns of names that a gallery leaves out."""
    row = update(GalleryRow).where(GalleryRow.id == gallery_id)
    session.execute(row.values(exclude="\n".join(patterns)))


def record_published(session: Session, space_id: int, published: Published) -> None:
    """Record which FAISS file has the vectors of a space."""
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
    """Path -> id of those paths that are in the catalogue, in any state or in the given one."""
    found: dict[str, int] = {}
    for batch in batches(paths):
        statement = select(ItemRow.path, ItemRow.id).where(
            ItemRow.gallery_id == gallery_id, ItemRow.path.in_(batch)
        )
        if state is not None:
            statement = statement.where(ItemRow.state == state)
        found.update((path, id_) for path, id_ in session.execute(statement))
    return found


def _known_ids(session: Session, gallery_id: int, paths: Sequence[str]) -> dict[str, int]:
    ids = ids_of(session, gallery_id, paths)
    for path in paths:
        if path not in ids:
            raise UnknownItem("no item of this gallery has that path", where=repr(path))
    return ids


def _store_vectors(
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


def _column_values(gallery_id: int, record: Record) -> dict[str, Any]:
    error = record.error
    return {
        "gallery_id": gallery_id,
        "path": record.path,
        **_file_columns(record),
        "state": "indexed" if error is None else "skipped",
        "missing_since": None,
        # Messages quote file names, and those need not be valid text.
        "error": None if error is None else error.encode("utf-8", "backslashreplace").decode(),
    }


def _file_columns(file: FileInfo) -> dict[str, Any]:
    return {name: getattr(file, name) for name in _FILE_COLUMNS}


def increment_generations(session: Session, space_ids: Iterable[int] | None = None) -> None:
    """Say that the vectors of spaces have changed; None: of all."""
    statement = update(SpaceRow).values(generation=SpaceRow.generation + 1)
    if space_ids is not None:
        statement = statement.where(SpaceRow.id.in_(list(space_ids)))
    session.execute(statement)
