"""Messages say what is so: who is in the way, and whether an index can be searched."""

import sqlite3

import pytest

from indexes import Index, IndexBusy, ReadOnlyIndex, database
from tests.processes import started_python

READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
connection.execute("SELECT count(*) FROM pictures").fetchall()
print("reading", flush=True)
sys.stdin.readline()
"""


def test_a_reader_in_the_way_is_not_called_a_writer(filled, monkeypatch, make_record):
    filled.close()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    file = str(filled.folder / "catalogue.sqlite3")
    with Index.open(filled.folder) as index, started_python(READER, file) as child:
        assert child.stdout.readline() == "reading\n"
        with pytest.raises(IndexBusy, match="has been reading this index") as error:
            index.write([make_record(40)])
        assert "is writing" not in str(error.value)


def test_a_writer_in_the_way_of_a_reader_is_called_one(filled, monkeypatch):
    filled.close()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    connection = sqlite3.connect(filled.folder / "catalogue.sqlite3", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(IndexBusy, match="is writing to this index"):
        Index.open(filled.folder)
    connection.close()


def test_an_interrupted_write_in_a_read_only_folder_is_not_said_to_be_searchable(read_only):
    """Root's own connection would write all the same, so the copy is made as another user."""
    journal = read_only / "catalogue.sqlite3-journal"
    assert not journal.exists()
    with pytest.raises(ReadOnlyIndex, match="It can still be searched"):
        Index.open(read_only).delete(["x"])
    error = ReadOnlyIndex(read_only, interrupted=True)
    assert "has to be rolled back" in str(error) and "still be searched" not in str(error)


def test_a_hot_journal_is_told_apart(read_only, monkeypatch):
    class ReadOnly(sqlite3.OperationalError):
        pass

    for writing, words in ((False, "has to be rolled back"), (True, "It can still be searched")):
        with (
            pytest.raises(ReadOnlyIndex, match=words),
            database.translate_sqlite_errors(read_only, writing),
        ):
            raise ReadOnly("attempt to write a readonly database")
