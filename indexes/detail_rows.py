"""What the metadata of image files say, in the catalogue; a part of `details`.

Each function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, inspect, or_, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from indexes.details import Details
from indexes.queries import batches
from indexes.tables import DetailsRow, ItemRow, TagRow
from indexes.text_keys import text_key


def has_details(session: Session) -> bool:
    """Whether the catalogue has these tables; older formats have not."""
    return bool(inspect(session.connection()).has_table(DetailsRow.__tablename__))


def without_details(session: Session, gallery_id: int, reader: int) -> set[str]:
    """Paths of indexed items of a gallery whose metadata were not read, or by an older reader."""
    known = select(ItemRow.path).where(ItemRow.gallery_id == gallery_id, ItemRow.state == "indexed")
    if has_details(session):
        known = known.outerjoin(DetailsRow, DetailsRow.item_id == ItemRow.id).where(
            or_(DetailsRow.item_id.is_(None), DetailsRow.reader < reader)
        )
    return set(session.scalars(known))


def store_details(session: Session, details: Mapping[int, Details]) -> None:
    """Replace what is stored of the files of these items; tags of the user stay."""
    forget_details(session, details)
    rows = [
        {
            "picture_id": id_,
            "reader": one.reader,
            "camera": one.camera,
            "lens": one.lens,
            "latitude": one.latitude,
            "longitude": one.longitude,
            "rating": one.rating,
        }
        for id_, one in details.items()
    ]
    if rows:
        session.connection().execute(insert(DetailsRow), rows)
    tags = [
        {"picture_id": id_, "key": key, "origin": "file", "tag": tag}
        for id_, one in details.items()
        for key, tag in {text_key(tag): tag for tag in one.tags}.items()
    ]
    if tags:
        session.connection().execute(insert(TagRow), tags)


def forget_details(session: Session, ids: Iterable[int]) -> None:
    """Delete what is stored of the files of these items; tags of the user stay."""
    for batch in batches(ids):
        session.execute(delete(DetailsRow).where(DetailsRow.item_id.in_(batch)))
        session.execute(delete(TagRow).where(TagRow.item_id.in_(batch), TagRow.origin == "file"))


def read_details(session: Session, ids: Iterable[int]) -> dict[int, Details]:
    """Id -> what is stored, of those items whose metadata were read; with the tags as they hold."""
    found: dict[int, Details] = {}
    if not has_details(session):
        return found
    for batch in batches(ids):
        tags: dict[int, dict[str, str]] = {}
        rows = session.execute(select(TagRow).where(TagRow.item_id.in_(batch))).scalars()
        removed = set()
        for row in rows:
            if row.origin == "removed":
                removed.add((row.item_id, row.key))
            else:
                tags.setdefault(row.item_id, {})[row.key] = row.tag
        for stored in session.scalars(select(DetailsRow).where(DetailsRow.item_id.in_(batch))):
            own = tags.get(stored.item_id, {})
            found[stored.item_id] = Details(
                reader=stored.reader,
                camera=stored.camera,
                lens=stored.lens,
                latitude=stored.latitude,
                longitude=stored.longitude,
                rating=stored.rating,
                tags=tuple(own[key] for key in sorted(own) if (stored.item_id, key) not in removed),
            )
    return found
