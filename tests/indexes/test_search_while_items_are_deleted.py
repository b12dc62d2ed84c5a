"""A search and the look-up of its items see one state of the index, whatever others delete."""

import os
import sqlite3

import numpy as np
import pytest
from sqlalchemy import event

from indexes import DamagedIndex, Index, Recipe
from tests.processes import started_python

from .conftest import unit_vector

CLIP = Recipe(model="tiny", fingerprint="beef", space="clip", dim=8, preprocessing="none at all")


def vectors(number):
    return {"dinov2": unit_vector(number), "clip": unit_vector(number + 500, 8)}


@pytest.fixture
def two(folder, recipe, tmp_path, make_record):
    """Twenty items in two spaces; item `n` has the path album/n.jpg and the id n + 1."""
    with Index.create(folder, root=tmp_path, recipe=[recipe, CLIP]) as index:
        index.write([make_record(number, vectors=vectors(number)) for number in range(20)])
        yield index


def one_space(index, number):
    return index.search(vectors(number)["clip"][None], 20, space="clip")


def fused(index, number):
    return index.search_fused({name: v[None] for name, v in vectors(number).items()}, 20)


def delete_now(folder, id_):
    """Delete an item as another process would, without waiting; whether it succeeded."""
    connection = sqlite3.connect(folder / "catalogue.sqlite3", timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN")
        connection.execute("DELETE FROM vectors WHERE picture_id = ?", [id_])
        connection.execute("DELETE FROM pictures WHERE id = ?", [id_])
        connection.execute("UPDATE spaces SET generation = generation + 1")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        assert "locked" in str(error)
        return False
    finally:
        connection.close()
    return True


@pytest.mark.parametrize("search", [one_space, fused])
@pytest.mark.parametrize("loaded", [True, False])
def test_a_delete_between_any_two_statements_is_seen_as_a_whole_or_not_at_all(
    two, folder, search, loaded
):
    statements, deleted = [], []
    moment = 0

    @event.listens_for(two._catalogue._engine, "before_cursor_execute")
    def attempt(connection, cursor, statement, *rest):
        statements.append(statement)
        if len(statements) == moment:
            deleted.append(delete_now(folder, 8))

    search(two, 7)
    if loaded:
        statements.clear()
        search(two, 7)
    for moment in range(len(statements), 0, -1):
        if not loaded:
            two._vectors.clear()
        statements.clear()
        deleted.clear()
        found = search(two, 7)
        ids = found.ids[0].tolist()
        assert found.items == {id_: ("image", f"album/{id_ - 1}.jpg") for id_ in ids}
        # The transaction begins with the first query, which comes after BEGIN.
        assert deleted == [moment <= 2]
        assert (8 in ids) == (moment > 2)


def test_an_id_without_an_item_is_damage(two, folder):
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    connection.execute("DELETE FROM pictures WHERE id = 8")
    connection.commit()
    connection.close()
    for search in (one_space, fused):
        with pytest.raises(DamagedIndex, match="a vector belongs to no item"):
            search(two, 7)


WRITER = """
import sys
import numpy as np
from indexes import Index, Record

def unit(seed, dim):
    vector = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
    return vector / np.linalg.norm(vector)

with Index.open(sys.argv[1]) as index:
    print("begun", flush=True)
    for turn in range(10**9):
        number = turn % 20
        path = f"album/{number}.jpg"
        index.delete([path])
        vectors = {"dinov2": unit(number, 16), "clip": unit(number + 500, 8)}
        index.write([Record(path=path, size=1, mtime_ns=1, vectors=vectors)])
"""


def test_each_hit_has_its_own_path_while_another_process_deletes_and_writes(two, folder):
    query = vectors(99)
    with started_python(WRITER, os.fspath(folder)) as writer:
        assert writer.stdout.readline() == "begun\n"
        for _ in range(30):
            result = two.search(query["dinov2"][None], 20)
            both = two.search_fused({name: vector[None] for name, vector in query.items()}, 20)
            for found in (result, both):
                paths = [found.items[id_].path for id_ in found.ids[0].tolist()]
                numbers = [int(path[6:-4]) for path in paths]
                assert len(numbers) in (19, 20)
                expected = [vectors(number)["dinov2"] @ query["dinov2"] for number in numbers]
                np.testing.assert_allclose(found.cosines["dinov2"][0], expected, atol=1e-6)
