"""Upgrades of catalogues of older formats."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, insert

from indexes.recipe import MODEL
from indexes.tables import (
    FORMAT_VERSION,
    CoverageRow,
    DetailsRow,
    GalleryRow,
    IdentityRow,
    PartVectorRow,
    PrecisionRow,
    TagRow,
)

_FROM_1 = (
    "ALTER TABLE galleries ADD COLUMN options VARCHAR DEFAULT '' NOT NULL",
    "ALTER TABLE galleries ADD COLUMN reader VARCHAR DEFAULT '' NOT NULL",
    f"ALTER TABLE spaces ADD COLUMN encoder VARCHAR DEFAULT '{MODEL}' NOT NULL",
)
_FROM_2 = (
    "ALTER TABLE galleries ADD COLUMN exclude VARCHAR DEFAULT '' NOT NULL",
    "ALTER TABLE pictures ADD COLUMN ctime_ns INTEGER",
    "ALTER TABLE pictures ADD COLUMN inode INTEGER",
    "ALTER TABLE pictures ADD COLUMN pixel_hash VARCHAR",
    "ALTER TABLE pictures ADD COLUMN frames INTEGER",
    "ALTER TABLE pictures ADD COLUMN needs_decoder VARCHAR",
    "ALTER TABLE pictures ADD COLUMN missing_since DATETIME",
)


def version(connection: Connection) -> int:
    """The format version of the catalogue."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def new_index_id() -> str:
    """An id that no other index has."""
    return uuid.uuid4().hex


def upgrade(connection: Connection) -> None:
    """Upgrade a catalogue of an older format, inside the caller's transaction."""
    before = version(connection)
    if before == FORMAT_VERSION:
        return
    if before == 1:
        _from_1(connection)
    _from_2(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT_VERSION}")


def _from_1(connection: Connection) -> None:
    """Format 1 holds one gallery of images and one space, in which all of them have vectors."""
    for statement in _FROM_1:
        connection.exec_driver_sql(statement)
    for index in GalleryRow.__table__.indexes:  # type: ignore[attr-defined]
        index.create(connection)
    CoverageRow.__table__.create(connection)  # type: ignore[attr-defined]
    connection.exec_driver_sql(
        "INSERT INTO coverage (space_id, gallery_id) "
        "SELECT spaces.id, galleries.id FROM spaces, galleries"
    )


def _from_2(connection: Connection) -> None:
    """Format 2 has no parts of images, no id, and knows files by size and time alone."""
    for statement in _FROM_2:
        connection.exec_driver_sql(statement)
    for row in (PrecisionRow, PartVectorRow, IdentityRow, DetailsRow, TagRow):
        row.__table__.create(connection, checkfirst=True)  # type: ignore[attr-defined]
    connection.execute(insert(IdentityRow).values(index_id=new_index_id()))
