"""Views, triggers and computed columns that are planted in a catalogue never run."""

import sqlite3
import threading
import time

import pytest

from indexes import Index, IndexesError, UnsafeIndex
from indexes.database import connect

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"


def planted(index, *statements):
    index.close()
    connection = sqlite3.connect(index.folder / "catalogue.sqlite3")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return index.folder


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["CREATE VIEW pictures_view AS " + ENDLESS], "the view 'pictures_view'"),
        (
            ["ALTER TABLE pictures RENAME TO old", "CREATE VIEW pictures AS SELECT * FROM old"],
            "it has the",
        ),
        (
            ["CREATE TRIGGER t AFTER INSERT ON pictures BEGIN DELETE FROM vectors; END"],
            "the trigger 't'",
        ),
        (["CREATE TABLE more (x)"], "the table 'more'"),
        (["CREATE TABLE precisions2 (x, y AS (zeroblob(1000000000)))"], "the table"),
        (["ALTER TABLE published ADD COLUMN big AS (zeroblob(999999999))"], "computes something"),
        (["ALTER TABLE published ADD COLUMN x CHECK (length(zeroblob(9)) > 1)"], "computes"),
        (["CREATE INDEX i ON pictures (hex(zeroblob(9)))"], "the index 'i'"),
        (["DROP INDEX tags_by_key", "CREATE INDEX tags_by_key ON tags (hex(key))"], "the index"),
        (["CREATE INDEX ix_more ON pictures (path) WHERE size > 5"], "the index 'ix_more'"),
        ([f"CREATE TABLE t{number} (x)" for number in range(200)], "more than 100"),
    ],
)
def test_what_this_program_never_makes_is_refused(filled, statements, reason):
    folder = planted(filled, *statements)
    with pytest.raises(UnsafeIndex, match=reason):
        Index.open(folder)


def test_what_users_may_do_is_not_refused(filled):
    folder = planted(filled, "ANALYZE", "VACUUM")
    with Index.open(folder) as index:
        assert index.counts().indexed == 20


def test_functions_that_act_are_not_called_by_a_schema(filled):
    with connect(filled.folder / "catalogue.sqlite3").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA trusted_schema").scalar_one() == 0


def test_ctrl_c_stops_a_statement(filled):
    """As Ctrl-C does: the handler of the signal runs while SQLite computes."""
    import _thread

    timer = threading.Timer(0.5, _thread.interrupt_main)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), filled._catalogue.read() as session:
        timer.start()
        session.connection().exec_driver_sql(f"SELECT count(*) FROM ({ENDLESS})").all()
    assert time.monotonic() - began < 120


@pytest.mark.parametrize("number", [2**40, 2**62, 2**63 - 1])
def test_an_absurd_id_takes_no_absurd_memory(filled, number, make_vector):
    folder = planted(
        filled,
        "PRAGMA foreign_keys = OFF",
        f"UPDATE vectors SET picture_id = {number} WHERE picture_id = 20",
        f"UPDATE pictures SET id = {number} WHERE id = 20",
        "INSERT INTO galleries (kind, root) VALUES ('depth', '/nowhere')",
        "INSERT INTO coverage SELECT spaces.id, galleries.id FROM spaces, galleries "
        "WHERE galleries.kind = 'depth'",
        "UPDATE spaces SET generation = generation + 1",
    )
    with Index.open(folder) as index:
        try:
            found = index.search(make_vector(19)[None], 1, modalities=["image"])
            assert found.ids.tolist() == [[number]]
        except IndexesError:
            pass
