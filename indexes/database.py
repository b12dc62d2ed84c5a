"""The SQLite file of the catalogue: created, opened, and its errors translated."""

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

from indexes.changes import add_gallery, add_space, identify
from indexes.errors import (
    CannotLock,
    DamagedIndex,
    IndexBusy,
    IndexesError,
    NewerFormat,
    NotAnIndex,
    OutOfMemory,
    ReadOnlyIndex,
    StorageFailed,
    from_os_error,
)
from indexes.functions import add_functions
from indexes.migration import version as format_of
from indexes.recipe import Reading, Recipe
from indexes.tables import APPLICATION_ID, FORMAT_VERSION, Base
from indexes.unsafe import (
    JOURNAL,
    SHARED_MEMORY,
    WAL,
    check_files,
    check_schema,
    create_exclusively,
)

CATALOGUE_NAME = "catalogue.sqlite3"
# What an OperationalError says of a file that is not as it should be; others are about the system.
_DAMAGE = ("no such", "malformed", "not a database", "unsupported file format", "no column")
# A reader that loads all vectors delays a commit, and a commit delays a reader.
BUSY_SECONDS = 60.0
# Of SQLite's virtual machine: about a tenth of a second.
_STEPS = 1_000_000


def connect(file: Path, *, mode: str = "rw") -> Engine:
    """An engine on one SQLite file; nothing is read yet.

    It uses the rollback journal, not WAL: there is one file to copy, and an index in a read-only
    folder can be read. Each session begins a transaction, so that it sees one state of the file.
    """
    uri = f"{file.absolute().as_uri()}?mode={mode}"

    def open_connection() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        # Running Python now and then lets Ctrl-C stop a statement.
        connection.set_progress_handler(lambda: 0, _STEPS)
        add_functions(connection)
        return connection

    engine = create_engine("sqlite://", creator=open_connection, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        check_files(file)
        connection.exec_driver_sql("BEGIN")

    return engine


def create_database(folder: Path, root: Path, reading: Reading, recipes: Sequence[Recipe]) -> None:
    """Write a catalogue without items into `folder`; it appears complete or not at all."""
    partial = folder / f"{CATALOGUE_NAME}.partial"
    for ending in (JOURNAL, WAL, SHARED_MEMORY):
        partial.with_name(partial.name + ending).unlink(missing_ok=True)
    create_exclusively(partial).close()
    engine = connect(partial)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT_VERSION}")
            Base.metadata.create_all(connection)
        with Session(engine) as session, session.begin():
            identify(session)
            for recipe in recipes:
                add_space(session, recipe)
            add_gallery(session, reading, str(root))
    finally:
        engine.dispose()
    os.replace(partial, folder / CATALOGUE_NAME)


def open_database(folder: Path) -> Engine:
    """An engine on the catalogue of an existing index of a supported format.

    Raises:
        NotAnIndex: no folder, no catalogue, or the database of another program.
        NewerFormat: written by a newer version of this program.
        DamagedIndex: not readable as SQLite.
        UnsafeIndex: it holds something that this program never makes.
    """
    try:
        return _open_database(folder)
    except OSError as error:  # a folder that may not be entered
        raise from_os_error(folder, error) from error


def _open_database(folder: Path) -> Engine:
    file = folder / CATALOGUE_NAME
    if not folder.is_dir():
        cause = "this is a file" if folder.exists() else "no such folder"
        raise NotAnIndex(
            f"{cause}; an index is a folder. Check the path, or index a gallery into it.",
            where=folder,
        )
    if not file.is_file():
        raise NotAnIndex(
            f"not an index (it has no {CATALOGUE_NAME}). Check the path, or index a gallery into a "
            "new folder; an index cannot be recovered without its catalogue.",
            where=folder,
        )
    if file.stat().st_size == 0:
        raise DamagedIndex(folder, f"{CATALOGUE_NAME} is empty")
    check_files(file)
    engine = connect(file)
    try:
        with translate_sqlite_errors(folder), engine.connect() as connection:
            application = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
            version = format_of(connection)
        if application != APPLICATION_ID:
            raise NotAnIndex(
                f"{CATALOGUE_NAME} is a database of another program, not of an index.", where=folder
            )
        if version > FORMAT_VERSION:
            raise NewerFormat(folder, version, FORMAT_VERSION)
        if version < 1:
            raise DamagedIndex(folder, f"its format version is {version}")
        with translate_sqlite_errors(folder), engine.connect() as connection:
            check_schema(connection, folder)
    except IndexesError:
        engine.dispose()
        raise
    return engine


@contextmanager
def translate_sqlite_errors(folder: Path, writing: bool = False) -> Iterator[None]:
    """Translate errors of SQLite and of the system, and ValueErrors about what was read, to those
    of this package.

    `writing`: the caller holds the write lock, so that only readers can be in its way.

    By their messages, which are stable: Python 3.10 does not expose the error codes of SQLite.
    """
    try:
        yield
    except IndexesError:
        raise
    except ValueError as error:
        raise DamagedIndex(folder, str(error)) from error
    except (TypeError, OverflowError) as error:
        if writing:
            raise
        raise DamagedIndex(folder, f"a value of the wrong type: {error}") from error
    except MemoryError as error:
        raise OutOfMemory(folder) from error
    except OSError as error:
        raise from_os_error(folder, error) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _translated(folder, getattr(error, "orig", None) or error, writing) from error


def _translated(folder: Path, error: BaseException, writing: bool) -> BaseException:
    cause, code = str(error), getattr(error, "sqlite_errorname", "")  # from Python 3.11 on
    if "interrupted" in cause:  # by Ctrl-C, while the progress handler ran
        return KeyboardInterrupt()
    if "readonly" in cause:
        return ReadOnlyIndex(folder, interrupted=not writing)
    if "locking protocol" in cause or ("IOERR" in code and "LOCK" in code):
        return CannotLock(folder, cause)
    if "locked" in cause:
        return IndexBusy(folder, reading=writing)
    if "out of memory" in cause:
        return OutOfMemory(folder)
    failed = isinstance(error, sqlite3.OperationalError)
    if failed and not any(words in cause for words in _DAMAGE):
        return StorageFailed(folder, cause)
    return DamagedIndex(folder, cause)
