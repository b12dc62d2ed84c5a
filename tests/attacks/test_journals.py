"""A journal that is planted beside the catalogue makes SQLite delete or follow other files."""

import sqlite3
import struct

import pytest

from indexes import Index, IndexesError, UnsafeIndex

MAGIC = bytes.fromhex("d9d505f920a163d7")
CATALOGUE = "catalogue.sqlite3"


def journal_naming(victim):
    """A rollback journal without pages that ends in the name of a super-journal."""
    name = str(victim).encode()
    header = MAGIC + struct.pack(">5I", 0, 0, 2, 512, 4096)
    checksum = sum(name)
    return (
        header.ljust(512, b"\0")
        + struct.pack(">I", 0x40000001)
        + name
        + struct.pack(">2I", len(name), checksum)
        + MAGIC
    )


@pytest.fixture
def closed(filled):
    filled.publish()
    filled.close()
    return filled.folder


def test_a_journal_that_names_another_file_deletes_nothing(closed, tmp_path):
    victim = tmp_path / "letter.txt"
    victim.write_text("dear")
    (closed / f"{CATALOGUE}-journal").write_bytes(journal_naming(victim))
    with pytest.raises(UnsafeIndex, match="names another file"):
        Index.open(closed)
    assert victim.read_text() == "dear"


def test_sqlite_itself_would_delete_the_file(tmp_path):
    """The attack works on SQLite, so that this exhibit shows something."""
    victim, base = tmp_path / "letter.txt", tmp_path / "plain.sqlite3"
    victim.write_text("dear")
    with sqlite3.connect(base) as plain:
        plain.execute("CREATE TABLE a (b)")
    plain.close()
    (tmp_path / "plain.sqlite3-journal").write_bytes(journal_naming(victim))
    plain = sqlite3.connect(base)
    plain.execute("SELECT * FROM a").fetchall()
    plain.close()
    assert not victim.exists()


def test_one_that_appears_later_is_noticed(closed, tmp_path, make_vector):
    victim = tmp_path / "letter.txt"
    victim.write_text("dear")
    with Index.open(closed) as index:
        (closed / f"{CATALOGUE}-journal").write_bytes(journal_naming(victim))
        for action in (index.snapshot, lambda: index.search(make_vector(1)[None], 3)):
            with pytest.raises(UnsafeIndex):
                action()
    assert victim.read_text() == "dear"


@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
def test_a_link_is_not_written_through(closed, tmp_path, ending, make_record):
    for target in (tmp_path / "letter.txt", tmp_path / "absent.txt"):
        (tmp_path / "letter.txt").write_text("dear")
        planted = closed / f"{CATALOGUE}{ending}"
        planted.unlink(missing_ok=True)
        planted.symlink_to(target)
        with pytest.raises(UnsafeIndex, match="is a link"), Index.open(closed) as index:
            index.write([make_record(50)])
        assert (tmp_path / "letter.txt").read_text() == "dear"
        assert not (tmp_path / "absent.txt").exists()


def test_a_write_ahead_log_is_refused(closed):
    (closed / f"{CATALOGUE}-wal").write_bytes(b"")
    with pytest.raises(UnsafeIndex, match="write-ahead log"):
        Index.open(closed)


def test_a_catalogue_that_is_a_link_is_refused(closed, tmp_path):
    (closed / CATALOGUE).rename(tmp_path / "elsewhere.sqlite3")
    (closed / CATALOGUE).symlink_to(tmp_path / "elsewhere.sqlite3")
    with pytest.raises(UnsafeIndex, match="is a link"):
        Index.open(closed)


@pytest.mark.parametrize("content", [b"", b"\0" * 7, b"\0" * 600, MAGIC[:4] * 200, b"x" * 5000])
def test_another_journal_is_rolled_back_or_refused(closed, content, make_vector):
    (closed / f"{CATALOGUE}-journal").write_bytes(content)
    try:
        with Index.open(closed) as index:
            assert index.counts().indexed == 20
            index.search(make_vector(1)[None], 3)
    except IndexesError:
        pass
