"""An index has a vector of every item in each of its spaces, and a FAISS file for each space."""

import dataclasses
import sqlite3

import numpy as np
import pytest

from indexes import (
    BadRecipe,
    BadRecord,
    BadSearch,
    BadVector,
    DamagedIndex,
    IncompleteSpace,
    Index,
    ReadOnlyIndex,
    Recipe,
    RecipeMismatch,
    Record,
    UnknownItem,
)

from .conftest import unit_vector

CLIP = Recipe(model="tiny", fingerprint="beef", space="clip", dim=8, preprocessing="none at all")


def both(number):
    return {"dinov2": unit_vector(number), "clip": unit_vector(number + 500, 8)}


def clip(*numbers):
    return np.stack([unit_vector(number + 500, 8) for number in numbers])


@pytest.fixture
def two(folder, recipe, tmp_path, make_record):
    """Twenty items in two spaces."""
    with Index.create(folder, root=tmp_path / "photos", recipe=[recipe, CLIP]) as index:
        index.write([make_record(number, vectors=both(number)) for number in range(20)])
        yield index


def fill(index, numbers):
    index.add_vectors({f"album/{n}.jpg": {"clip": unit_vector(n + 500, 8)} for n in numbers})


def test_recipes_keep_their_order_and_the_first_space_is_the_default(two, folder, recipe):
    with Index.open(folder) as opened:
        assert list(opened.recipes.items()) == [("dinov2", recipe), ("clip", CLIP)]
        assert opened.recipe == recipe
        assert np.array_equal(opened.vectors([4]), opened.vectors([4], space="dinov2"))
        opened.require(recipe)
        opened.require(CLIP)
        other = dataclasses.replace(CLIP, fingerprint="f00d")
        with pytest.raises(RecipeMismatch, match="fingerprint: expected 'beef', got 'f00d'"):
            opened.require(other)
        other = dataclasses.replace(CLIP, fingerprint="0123456789abcdef" * 4)
        with pytest.raises(RecipeMismatch, match="got '0123456789ab'"):
            opened.require(other)


def test_each_space_has_its_own_vectors_and_results(two):
    assert np.array_equal(two.vectors([4], space="clip"), clip(3))
    scores, ids, *_ = two.search(clip(3, 7), 2, space="clip")
    assert ids[:, 0].tolist() == [4, 8]
    np.testing.assert_allclose(scores[:, 0], 1, atol=1e-6)
    with pytest.raises(BadVector, match=r"\(n, 16\), got \(1, 8\)"):
        two.search(clip(3), 1)
    with pytest.raises(BadSearch, match=r"no space 'sound'; this index has dinov2, clip"):
        two.search(clip(3), 1, space="sound")
    two.verify()


@pytest.mark.parametrize(
    ("vectors", "error", "message"),
    [
        ({"dinov2": unit_vector(30)}, BadRecord, "no vector in the space 'clip'"),
        ({**both(30), "sound": unit_vector(1)}, BadRecord, "'sound'; the index has dinov2, clip"),
        ({**both(30), "clip": unit_vector(1)}, BadVector, "in 'clip'"),
    ],
)
def test_a_record_has_one_good_vector_in_each_space(two, make_record, vectors, error, message):
    before = two.snapshot()
    with pytest.raises(error, match=message):
        two.write([make_record(31, vectors=both(31)), make_record(30, vectors=vectors)])
    assert two.snapshot() == before


def test_changes_reach_every_space(two, make_record):
    two.publish()
    two.write([make_record(3, vectors=both(103))])
    assert two.search(clip(103), 1, space="clip")[1].tolist() == [[4]]
    two.write([Record(path="album/3.jpg", size=0, mtime_ns=1, error="zero bytes")])
    two.delete(["album/7.jpg"])
    for space, query in (("dinov2", unit_vector(7)[None]), ("clip", clip(7))):
        _, ids, *_ = two.search(query, 99, space=space)
        assert set(ids[0]) == set(range(1, 21)) - {4, 8}
    two.verify()


def test_each_space_has_its_own_file_which_is_used_or_rebuilt(two, folder, monkeypatch):
    import indexes.queries

    made = []
    chunks = indexes.queries.vector_chunks
    monkeypatch.setattr(
        indexes.queries, "vector_chunks", lambda *given: made.append(given[1]) or chunks(*given)
    )
    two.publish()
    assert {entry.name for entry in folder.glob("*.faiss")} == {
        "vectors-1.faiss",
        "vectors-2.faiss",
    }
    made.clear()
    with Index.open(folder) as opened:
        opened.search(clip(3), 1, space="clip")
        opened.search(unit_vector(3)[None], 1)
    assert made == []
    (folder / "vectors-2.faiss").write_bytes((folder / "vectors-1.faiss").read_bytes())
    with Index.open(folder) as opened:
        assert opened.search(clip(3), 1, space="clip")[1].tolist() == [[4]]
        assert opened.search(unit_vector(3)[None], 1)[1].tolist() == [[4]]
    assert made == [2]


def test_an_added_space_is_complete_when_every_item_has_its_vector(filled, folder):
    filled.publish()
    filled.add_space(CLIP)
    paths = {f"album/{number}.jpg" for number in range(20)}
    assert filled.without_vectors() == dict.fromkeys(paths, ("clip",))
    fill(filled, range(12))
    filled.verify()
    assert filled.without_vectors().keys() == {f"album/{number}.jpg" for number in range(12, 20)}
    assert filled.mark_complete() == {"clip": 8}
    for index in (filled, Index.open(folder)):
        with pytest.raises(IncompleteSpace, match=r"'clip' is incomplete.*add the missing vectors"):
            index.search(clip(3), 1, space="clip")
        assert index.search(unit_vector(3)[None], 1)[1].tolist() == [[4]]
    fill(filled, range(12, 20))
    with Index.open(folder) as reader:
        with pytest.raises(IncompleteSpace):
            reader.search(clip(3), 1, space="clip")
        assert filled.mark_complete() == {}
        assert reader.search(clip(3), 1, space="clip")[1].tolist() == [[4]]
    assert filled.without_vectors() == {}
    filled.verify()


def test_adding_vectors_to_one_space_leaves_the_files_of_the_others(filled, folder):
    filled.publish()
    before = (folder / "vectors-1.faiss").stat().st_mtime_ns
    filled.add_space(CLIP)
    fill(filled, range(20))
    filled.mark_complete()
    filled.publish()
    assert (folder / "vectors-1.faiss").stat().st_mtime_ns == before
    assert (folder / "vectors-2.faiss").is_file()


def test_items_written_while_a_space_is_incomplete_have_it(filled, make_record):
    filled.add_space(CLIP)
    with pytest.raises(BadRecord, match="no vector in the space 'clip'"):
        filled.write([make_record(30)])
    filled.write([make_record(30, vectors=both(30)), make_record(3, vectors=both(3))])
    assert (
        "album/30.jpg" not in filled.without_vectors()
        and "album/3.jpg" not in filled.without_vectors()
    )
    assert len(filled.without_vectors()) == 19


def test_an_index_without_items_is_complete_in_any_space(index, make_record):
    index.add_space(CLIP)
    assert index.search(clip(1), 1, space="clip")[1].shape == (1, 0)
    index.write([make_record(30, vectors=both(30))])
    assert index.without_vectors() == {} and index.mark_complete() == {}
    index.verify()


def test_invalid_vectors_are_not_added(filled):
    filled.add_space(CLIP)
    filled.write([Record(path="bad.jpg", size=0, mtime_ns=1, error="zero bytes")])
    for path in ("nowhere.jpg", "bad.jpg"):
        with pytest.raises(UnknownItem, match=path):
            filled.add_vectors({path: {"clip": unit_vector(1, 8)}})
    with pytest.raises(BadRecord, match="sound"):
        filled.add_vectors({"album/3.jpg": {"sound": unit_vector(1, 8)}})
    with pytest.raises(BadVector, match="in 'clip'"):
        filled.add_vectors(
            {"album/2.jpg": {"clip": unit_vector(1, 8)}, "album/3.jpg": {"clip": None}}
        )
    assert len(filled.without_vectors()) == 20


def test_spaces_are_unique(two, folder, recipe):
    with pytest.raises(BadRecipe, match="duplicate space 'clip'"):
        two.add_space(CLIP)
    with pytest.raises(BadRecipe, match="at least one"):
        Index.create(folder.with_name("none"), root=".", recipe=[])
    with pytest.raises(BadRecipe, match="duplicate space 'dinov2'"):
        Index.create(folder.with_name("twice"), root=".", recipe=[recipe, recipe])
    assert not folder.with_name("none").exists() and not folder.with_name("twice").exists()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "DELETE FROM vectors WHERE picture_id = 4 AND space_id = 2",
            "1 indexed items have no vector in the space 'clip'",
        ),
        ("UPDATE vectors SET vector = zeroblob(32) WHERE space_id = 2", "stored vector"),
    ],
)
def test_verify_checks_every_space(two, folder, statement, message):
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(DamagedIndex, match=message):
        two.verify()


def test_spaces_that_do_not_hold_the_same_items_are_not_fused(two, folder):
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    connection.execute("DELETE FROM vectors WHERE picture_id = 4 AND space_id = 2")
    connection.commit()
    connection.close()
    with pytest.raises(DamagedIndex, match="not hold the same items"):
        two.search_fused({"dinov2": unit_vector(1)[None], "clip": clip(1)}, 3)


def test_nothing_is_added_to_a_read_only_index(read_only):
    with Index.open(read_only) as index:
        with pytest.raises(ReadOnlyIndex):
            index.add_space(CLIP)
        with pytest.raises(ReadOnlyIndex):
            index.add_vectors({"album/3.jpg": {"dinov2": unit_vector(3)}})
        assert index.mark_complete() == {}


def test_a_writer_sees_the_spaces_that_another_has_added(filled, folder, make_record):
    with Index.open(folder) as other:
        other.add_space(CLIP)
        fill(other, range(20))
        other.mark_complete()
        with pytest.raises(BadRecord, match="no vector in the space 'clip'"):
            filled.write([make_record(30)])
        filled.write([make_record(30, vectors=both(30))])
        filled.verify()
        assert other.search(clip(30), 1, space="clip")[1].tolist() == [[21]]
