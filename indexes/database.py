"""The catalogue's SQLite file: made, opened, and its errors put into words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from indexes.catalogue import APPLICATION_ID, FORMAT_VERSION, Base
from indexes.errors import (
    DamagedIndex,
    IndexBusy,
    IndexesError,
    NewerFormat,
    NotAnIndex,
    ReadOnlyIndex,
    StorageFailed,
)
from indexes.recipe import Reading, Recipe
from indexes.upgrading import version as format_of
from indexes.writing import add_gallery, add_space

CATALOGUE_NAME = "catalogue.sqlite3"
# A reader that loads all vectors delays a commit, and a commit delays a reader.
BUSY_SECONDS = 60.0


def connect(file: Path, *, mode: str = "rw") -> Engine:
    """An engine on one SQLite file; nothing is read yet.

    The rollback journal, not WAL: one file to copy, and an index in a read-only folder can be
    read. Transactions are begun by us, so that reading many rows sees one state of them.
    """
    uri = f"{file.absolute().as_uri()}?mode={mode}"

    def open_connection() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    engine = create_engine("sqlite://", creator=open_connection, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def create_catalogue(folder: Path, root: Path, reading: Reading, recipes: Sequence[Recipe]) -> None:
    """Write a catalogue without pictures into `folder`; it appears complete or not at all."""
    partial = folder / f"{CATALOGUE_NAME}.partial"
    for leftover in (partial, partial.with_name(f"{partial.name}-journal")):
        leftover.unlink(missing_ok=True)
    engine = connect(partial, mode="rwc")
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT_VERSION}")
            Base.metadata.create_all(connection)
        with Session(engine) as session, session.begin():
            for recipe in recipes:
                add_space(session, recipe)
            add_gallery(session, reading, str(root))
    finally:
        engine.dispose()
    os.replace(partial, folder / CATALOGUE_NAME)


def open_catalogue(folder: Path) -> Engine:
    """An engine on the catalogue of an existing index whose format is known.

    Raises:
        NotAnIndex: no folder, no catalogue, or the catalogue of something else.
        NewerFormat: written by a newer version of this program.
        DamagedIndex: not readable as SQLite.
    """
    file = folder / CATALOGUE_NAME
    if not folder.is_dir():
        cause = "this is a file" if folder.exists() else "there is no such folder"
        raise NotAnIndex(
            f"{folder}: {cause}; an index is a folder. Check the path, or index a gallery to it."
        )
    if not file.is_file():
        raise NotAnIndex(
            f"{folder}: not an index (no {CATALOGUE_NAME} in it). Check the path, or index a "
            "gallery to a new folder; without its catalogue an index cannot be recovered."
        )
    if file.stat().st_size == 0:
        raise DamagedIndex(folder, f"{CATALOGUE_NAME} is empty")
    engine = connect(file)
    try:
        with put_into_words(folder), engine.connect() as connection:
            application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            version = format_of(connection)
        if application != APPLICATION_ID:
            raise NotAnIndex(
                f"{folder}: {CATALOGUE_NAME} is a database of another program, not of an index."
            )
        if version > FORMAT_VERSION:
            raise NewerFormat(folder, version, FORMAT_VERSION)
        if version < 1:
            raise DamagedIndex(folder, f"its format version is {version}")
    except IndexesError:
        engine.dispose()
        raise
    return engine


@contextmanager
def put_into_words(folder: Path) -> Iterator[None]:
    """Turn what SQLite, and nonsense read from it, raise inside into this package's errors.

    By the wording: SQLite's texts are stable, and Python 3.10 does not pass its error codes on.
    """
    try:
        yield
    except IndexesError:
        raise
    except ValueError as error:
        raise DamagedIndex(folder, str(error)) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        cause = str(getattr(error, "orig", None) or error)
        if "readonly" in cause:
            raise ReadOnlyIndex(folder) from error
        if "locked" in cause:
            raise IndexBusy(folder) from error
        if "full" in cause or "disk I/O" in cause or "unable to open" in cause:
            raise StorageFailed(folder, cause) from error
        raise DamagedIndex(folder, cause) from error
