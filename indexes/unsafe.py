"""What an index of this program never has, and SQLite or a write would act upon.

An index may come from somebody else. A journal may name a file that SQLite deletes, a link may lead
a write out of the folder, a pipe may never end, and a trigger or a view is code.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import CheckConstraint
from sqlalchemy.engine import Connection

from indexes.errors import UnsafeIndex
from indexes.tables import Base

JOURNAL, WAL, SHARED_MEMORY = "-journal", "-wal", "-shm"

# https://www.sqlite.org/fileformat.html, "The Rollback Journal": the end of one that is a part of
# a transaction over several files, which this program never has.
_NAMES_ANOTHER_FILE = bytes.fromhex("d9d505f920a163d7")

_TABLES = frozenset(Base.metadata.tables)
_INDEXES = frozenset(
    str(index.name) for table in Base.metadata.tables.values() for index in table.indexes
)
_CHECKS = frozenset(
    " ".join(str(one.sqltext).lower().split())
    for table in Base.metadata.tables.values()
    for held in (table, *table.columns)
    for one in held.constraints
    if isinstance(one, CheckConstraint)
)
_MOST_OBJECTS = 100


def check_files(catalogue: Path) -> None:
    """Check the files that SQLite opens for a catalogue.

    Raises:
        UnsafeIndex: one is a link or no regular file; a write-ahead log; a journal that names
            another file.
    """
    # Before each transaction, so without pathlib.
    whole = os.fspath(catalogue)
    for ending in ("", JOURNAL, WAL, SHARED_MEMORY):
        try:
            mode = os.lstat(whole + ending).st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISREG(mode) and not ending:
            continue
        folder, file = catalogue.parent, catalogue.with_name(catalogue.name + ending)
        if not stat.S_ISREG(mode):
            what = "a link" if stat.S_ISLNK(mode) else "not a regular file"
            raise UnsafeIndex(folder, f"{file.name} is {what}")
        if ending in (WAL, SHARED_MEMORY):
            raise UnsafeIndex(folder, f"it has a write-ahead log, {file.name}")
        if ending == JOURNAL and _end(file) == _NAMES_ANOTHER_FILE:
            raise UnsafeIndex(folder, f"{file.name} names another file, which would be deleted")


def check_schema(connection: Connection, folder: Path) -> None:
    """Check that a catalogue has only tables and indexes that this program makes.

    Raises:
        UnsafeIndex: a view, a trigger, another table, or one that computes something.
    """
    rows = connection.exec_driver_sql(
        f"SELECT type, name, sql FROM sqlite_master LIMIT {_MOST_OBJECTS + 1}"
    ).all()
    if len(rows) > _MOST_OBJECTS:
        raise UnsafeIndex(folder, f"it has more than {_MOST_OBJECTS} tables and indexes")
    for kind, name, sql in rows:
        if problem := _problem(str(kind), str(name), None if sql is None else str(sql)):
            raise UnsafeIndex(folder, f"it has {problem}")


def _problem(kind: str, name: str, sql: str | None) -> str | None:
    shown = f"{name!r:.60}"
    if kind not in ("table", "index"):
        return f"the {kind:.20} {shown}"
    if kind == "table" and name not in _TABLES and not name.startswith("sqlite_"):
        return f"the table {shown}"
    plain = " ".join((sql or "").lower().split())
    if kind == "index":
        columns = plain.partition("(")[2]
        if plain and (name not in _INDEXES or "(" in columns or " where " in columns):
            return f"the index {shown}"
        return None
    if not plain.startswith("create table") or not set(_checks(plain)) <= _CHECKS:
        return f"the table {shown}, which computes something"
    if re.search(r"default\s*\(|generated|\bas\s*\(", plain):
        return f"the table {shown}, which computes something"
    return None


def _checks(sql: str) -> Iterator[str]:
    """What the CHECK constraints of a statement compute."""
    for found in re.finditer(r"\bcheck\s*\(", sql):
        depth, end = 1, found.end()
        while depth and end < len(sql):
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        yield sql[found.end() : end - 1].strip()


def create_exclusively(file: Path) -> BinaryIO:
    """Create a file, in the place of one that is there. A link is replaced, not followed.

    Raises:
        OSError: it cannot be created.
    """
    file.unlink(missing_ok=True)
    return file.open("xb")


def open_regular(file: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        OSError: it cannot be opened, or is a pipe, a device or a folder.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer. Windows has neither.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(file, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file", str(file))
    return os.fdopen(descriptor, "rb")


def refuse_links(folder: Path, names: Iterable[str]) -> None:
    """Refuse links at names that are opened for writing.

    Raises:
        UnsafeIndex: one of them is a link, or no regular file.
    """
    for name in names:
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(os.lstat(folder / name).st_mode):
                raise UnsafeIndex(folder, f"{name} is a link, or not a regular file")


def _end(file: Path) -> bytes:
    try:
        with open_regular(file) as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - len(_NAMES_ANOTHER_FILE)))
            return stream.read(len(_NAMES_ANOTHER_FILE))
    except FileNotFoundError:  # a commit has just deleted it
        return b""
