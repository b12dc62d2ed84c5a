"""Troubles of the file system and of memory are named for what they are, and never as damage."""

import errno
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from indexes import CannotLock, DamagedIndex, IndexBusy, OutOfMemory, ReadOnlyIndex, StorageFailed
from indexes.database import translate_sqlite_errors


def named(error):
    return sqlite3.OperationalError(error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (named("locking protocol"), CannotLock),
        (named("out of memory"), OutOfMemory),
        (MemoryError(), OutOfMemory),
        (named("database is locked"), IndexBusy),
        (named("attempt to write a readonly database"), ReadOnlyIndex),
        (named("database or disk is full"), StorageFailed),
        (named("disk I/O error"), StorageFailed),
        (named("unable to open database file"), StorageFailed),
        (named("large file support is disabled"), StorageFailed),
        (named("no such table: pictures"), DamagedIndex),
        (sqlite3.DatabaseError("database disk image is malformed"), DamagedIndex),
        (sqlite3.DatabaseError("file is not a database"), DamagedIndex),
        (sqlite3.IntegrityError("datatype mismatch"), DamagedIndex),
    ],
    ids=lambda given: str(given) if isinstance(given, Exception) else "",
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_each_error_of_sqlite_has_its_class(error, expected, wrapped, tmp_path):
    raised = OperationalError("SELECT", {}, error) if wrapped else error
    if wrapped and isinstance(error, MemoryError):
        raised = error
    with pytest.raises(expected) as caught, translate_sqlite_errors(tmp_path):
        raise raised
    assert ("damaged" in str(caught.value)) == (expected is DamagedIndex)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("code", ["SQLITE_IOERR_LOCK", "SQLITE_IOERR_RDLOCK"])
def test_an_io_error_of_a_lock_is_about_locks(code, tmp_path):
    error = named("disk I/O error")
    error.sqlite_errorname = code
    with pytest.raises(CannotLock, match="local disk"), translate_sqlite_errors(tmp_path):
        raise error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOLCK, "No locks available"), CannotLock),
        (OSError(errno.EOPNOTSUPP, "Operation not supported"), CannotLock),
        (NotImplementedError("no flock"), CannotLock),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), OutOfMemory),
        (OSError(errno.EROFS, "Read-only file system"), ReadOnlyIndex),
    ],
    ids=str,
)
def test_a_write_lock_that_cannot_be_taken(error, expected, filled, monkeypatch):
    def acquire(*_, **__):
        raise error

    monkeypatch.setattr(filled._catalogue.lock._file, "acquire", acquire)
    with pytest.raises(expected):
        filled.delete(["album/3.jpg"])
    monkeypatch.undo()
    assert filled.counts().indexed == 20
