"""Upgrades of catalogues of older formats."""

from __future__ import annotations

from sqlalchemy import Connection

from indexes.recipe import MODEL
from indexes.tables import FORMAT_VERSION, CoverageRow, GalleryRow, PrecisionRow

_FROM_1 = (
    "ALTER TABLE galleries ADD COLUMN options VARCHAR DEFAULT '' NOT NULL",
    "ALTER TABLE galleries ADD COLUMN reader VARCHAR DEFAULT '' NOT NULL",
    f"ALTER TABLE spaces ADD COLUMN encoder VARCHAR DEFAULT '{MODEL}' NOT NULL",
)


def version(connection: Connection) -> int:
    """The format version of the catalogue."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def upgrade(connection: Connection) -> None:
    """Upgrade a catalogue of format 1 to format 2, inside the caller's transaction.

    Format 1 holds one gallery of images and one space, in which all of them have vectors.
    """
    if version(connection) != 1:
        return
    for statement in _FROM_1:
        connection.exec_driver_sql(statement)
    for index in GalleryRow.__table__.indexes:  # type: ignore[attr-defined]
        index.create(connection)
    for row in (CoverageRow, PrecisionRow):
        row.__table__.create(connection)  # type: ignore[attr-defined]
    connection.exec_driver_sql(
        "INSERT INTO coverage (space_id, gallery_id) "
        "SELECT spaces.id, galleries.id FROM spaces, galleries"
    )
    connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT_VERSION}")
