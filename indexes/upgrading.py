"""From an older format of the catalogue to the current one."""

from __future__ import annotations

from sqlalchemy import Connection

from indexes.catalogue import FORMAT_VERSION, CoverageRow, GalleryRow
from indexes.recipe import MODEL

_FROM_1 = (
    "ALTER TABLE galleries ADD COLUMN options VARCHAR DEFAULT '' NOT NULL",
    "ALTER TABLE galleries ADD COLUMN reader VARCHAR DEFAULT '' NOT NULL",
    f"ALTER TABLE spaces ADD COLUMN encoder VARCHAR DEFAULT '{MODEL}' NOT NULL",
)


def version(connection: Connection) -> int:
    """The format that the catalogue has now."""
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def upgrade(connection: Connection) -> None:
    """Make a catalogue of format 1 one of format 2, inside the caller's transaction.

    One gallery of images and one space, in which all of them have vectors, is what format 1 holds.
    """
    if version(connection) != 1:
        return
    for statement in _FROM_1:
        connection.exec_driver_sql(statement)
    for index in GalleryRow.__table__.indexes:  # type: ignore[attr-defined]
        index.create(connection)
    CoverageRow.__table__.create(connection)  # type: ignore[attr-defined]
    connection.exec_driver_sql(
        "INSERT INTO coverage (space_id, gallery_id) "
        "SELECT spaces.id, galleries.id FROM spaces, galleries"
    )
    connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT_VERSION}")
