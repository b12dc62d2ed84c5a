"""Vectors of parts of images, e.g. of the squares of a panorama, besides the images' own.

A search counts the best vector of an item, so that an item is found once. The parts of an item are
numbered from 1, in the same order in every space.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from indexes.changes import checked_blobs, ids_of, increment_generations
from indexes.migration import version as format_of
from indexes.queries import batches
from indexes.records import Box, Part, Shape
from indexes.tables import ItemRow, PartVectorRow, SpaceRow


@dataclass(frozen=True)
class CheckedPart:
    """A part with the bytes to store: space -> bytes."""

    box: Box
    blobs: Mapping[str, bytes]


def checked_parts(
    parts: Mapping[str, Sequence[Part]], dims: Mapping[str, int]
) -> dict[str, list[CheckedPart]]:
    """Path -> parts, checked.

    Raises:
        BadRecord: a space that the index does not have.
        BadVector: a vector that is not float32, of shape (dim,), finite and of unit length.
    """
    return {
        path: [CheckedPart(part.box, checked_blobs(part.vectors, dims, path)) for part in given]
        for path, given in parts.items()
    }


def store_parts(
    session: Session,
    gallery_id: int,
    space_ids: Mapping[str, int],
    parts: Mapping[str, Sequence[CheckedPart]],
) -> None:
    """Replace the parts of items in the spaces that the new ones have vectors in.

    The items have vectors in these spaces.
    """
    given = {path: found for path, found in parts.items() if found}
    ids = ids_of(session, gallery_id, given)
    rows: list[dict[str, Any]] = []
    for path, found in given.items():
        touched = {space_ids[space] for part in found for space in part.blobs}
        session.execute(
            delete(PartVectorRow).where(
                PartVectorRow.item_id == ids[path], PartVectorRow.space_id.in_(touched)
            )
        )
        for number, part in enumerate(found, start=1):
            box = dict(zip(("left", "top", "right", "bottom"), part.box, strict=True))
            rows += [
                {
                    "space_id": space_ids[space],
                    "picture_id": ids[path],
                    "part": number,
                    "vector": blob,
                    **box,
                }
                for space, blob in part.blobs.items()
            ]
    if rows:
        session.connection().execute(insert(PartVectorRow), rows)
        increment_generations(session, {row["space_id"] for row in rows})


def boxes(session: Session, space_id: int, ids: Collection[int]) -> dict[int, list[Box]]:
    """Id -> boxes of its parts with vectors in a space, in their order."""
    found: dict[int, list[Box]] = {}
    for batch in batches(ids):
        rows = session.execute(
            select(
                PartVectorRow.item_id,
                PartVectorRow.left,
                PartVectorRow.top,
                PartVectorRow.right,
                PartVectorRow.bottom,
            )
            .where(PartVectorRow.space_id == space_id, PartVectorRow.item_id.in_(batch))
            .order_by(PartVectorRow.item_id, PartVectorRow.part)
        )
        for id_, *box in rows:
            left, top, right, bottom = box
            found.setdefault(id_, []).append((left, top, right, bottom))
    return found


def shapes(session: Session, gallery_id: int) -> dict[str, Shape]:
    """Path -> shape of the indexed items of a gallery, sorted by path."""
    since_3 = format_of(session.connection()) >= 3
    counted: dict[int, dict[str, int]] = {}
    if since_3:
        for id_, space, count in session.execute(
            select(PartVectorRow.item_id, SpaceRow.name, func.count())
            .join(SpaceRow, SpaceRow.id == PartVectorRow.space_id)
            .group_by(PartVectorRow.item_id, SpaceRow.name)
        ):
            counted.setdefault(id_, {})[space] = count
    columns = (ItemRow.path, ItemRow.id, ItemRow.width, ItemRow.height)
    rows = session.execute(
        select(*columns, *([ItemRow.frames] if since_3 else []))
        .where(ItemRow.gallery_id == gallery_id, ItemRow.state == "indexed")
        .order_by(ItemRow.path)
    )
    return {
        path: Shape(width, height, frames[0] if frames else None, counted.get(id_, {}))
        for path, id_, width, height, *frames in rows
    }
