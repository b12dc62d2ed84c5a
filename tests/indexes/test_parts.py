"""An item with parts is found by the best of its vectors, and once."""

import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from indexes import BadRecord, BadVector, DamagedIndex, Index, Part, Reading, UnknownItem
from indexes.fusion import best, fuse
from tests.indexes.conftest import indexed, unit_vector

OLD = Path(__file__).parent.parent / "fixtures"


def part(seed, left=0.0, space="dinov2"):
    return Part((left, 0.0, left + 0.25, 1.0), {space: unit_vector(seed)})


def panorama(number, seeds, **changes):
    """Its parts lie side by side and have the vectors of these seeds."""
    parts = [part(seed, 0.01 * at) for at, seed in enumerate(seeds)]
    return indexed(number, parts=parts, **changes)


@pytest.fixture
def mixed(index):
    """Ten items, of which 0, 3 and 7 have 2, 12 and 4 parts."""
    counts = {0: 2, 3: 12, 7: 4}
    index.write(
        [panorama(n, [100 * (n + 1) + i for i in range(counts.get(n, 0))]) for n in range(10)]
    )
    return index


def brute_force(queries):
    """Cosines (Q, 10) of the best vectors, and the parts that have them."""
    counts = {0: 2, 3: 12, 7: 4}
    scores, parts = [], []
    for n in range(10):
        seeds = [n, *(100 * (n + 1) + i for i in range(counts.get(n, 0)))]
        all_ = queries @ np.stack([unit_vector(seed) for seed in seeds]).T
        scores.append(all_.max(axis=1))
        parts.append(all_.argmax(axis=1))
    return np.stack(scores, axis=1), np.stack(parts, axis=1)


QUERIES = np.stack([unit_vector(5000 + n) for n in range(40)])


@pytest.mark.parametrize("k", [1, 2, 5, 9, 10, 50])
@pytest.mark.parametrize("count", [1, 40])
def test_the_k_best_items_by_their_best_vectors(mixed, k, count):
    queries = QUERIES[:count]
    cosines, parts = brute_force(queries)
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    found = mixed.search(queries, k)
    assert np.array_equal(found.ids, expected + 1)
    np.testing.assert_allclose(found.scores, np.take_along_axis(cosines, expected, 1), atol=1e-6)
    assert np.array_equal(found.parts, np.take_along_axis(parts, expected, 1))


def test_many_parts_of_one_item_do_not_crowd_out_others(index):
    index.write([panorama(0, [7] * 12), *(indexed(n) for n in range(1, 30))])
    for k in (1, 2, 3, 10):
        (ids,) = index.search(unit_vector(7)[None], k).ids
        assert ids[0] == 1 and len(set(ids.tolist())) == k
    (wanted,) = np.argsort(-np.stack([unit_vector(7) @ unit_vector(n) for n in range(1, 30)]))[None]
    ids = index.search(unit_vector(7)[None], 3).ids[0].tolist()
    assert ids == [1, 8, int(wanted[1]) + 2]


def test_equal_items_come_in_the_order_of_ids(index):
    index.write([panorama(n, [7, 7]) for n in range(9)])
    for k in range(1, 10):
        found = index.search(unit_vector(7)[None], k)
        assert found.ids[0].tolist() == list(range(1, k + 1))


def test_equal_items_without_parts_come_in_the_order_of_ids_at_any_k(index):
    index.write([indexed(n, vector=unit_vector(7)) for n in range(50)])
    for k in (1, 7, 49):
        assert index.search(unit_vector(7)[None], k).ids[0].tolist() == list(range(1, k + 1))


def test_the_box_of_the_part_is_that_of_the_record(index):
    index.write([panorama(0, [50, 51, 52]), indexed(1)])
    found = index.search(unit_vector(52)[None], 2)
    assert (found.ids[0, 0], found.parts[0, 0]) == (1, 3)
    assert found.boxes == {(1, 3): (0.02, 0.0, 0.27, 1.0)}
    assert index.search(unit_vector(0)[None], 1).boxes == {}
    assert index.search(unit_vector(52)[None], 2, items=False).boxes == {}


@pytest.mark.parametrize("fusion", ["rrf", "scores"])
@pytest.mark.parametrize("k", [1, 4, 10])
def test_fused_searches_count_the_best_in_each_space(mixed, fusion, k, recipe):
    other = {n: unit_vector(900 + n) for n in range(10)}
    mixed.add_space(replace(recipe, space="clip"))
    mixed.add_vectors({f"album/{n}.jpg": {"clip": other[n]} for n in range(10)})
    mixed.add_vectors({}, {"album/5.jpg": [part(77, space="clip")]})
    mixed.mark_complete()
    queries = QUERIES[:5]
    cosines, parts = brute_force(queries)
    clip = queries @ np.stack([other[n] for n in range(10)]).T
    clip[:, 5] = np.maximum(clip[:, 5], queries @ unit_vector(77))
    weights = {"dinov2": 1.0, "clip": 2.0}
    found = mixed.search_fused(
        {"dinov2": queries, "clip": queries}, k, weights=weights, fusion=fusion
    )
    for row in range(5):
        fused = fuse({"dinov2": cosines[row], "clip": clip[row]}, weights, fusion)
        wanted = best(fused, k)
        assert found.ids[row].tolist() == (wanted + 1).tolist()
        np.testing.assert_allclose(found.cosines["clip"][row], clip[row][wanted], atol=1e-6)
        assert found.parts[row].tolist() == parts[row][wanted].tolist()


def test_galleries_are_searched_apart(mixed, tmp_path):
    mixed.add_gallery(Reading("depth"), tmp_path)
    mixed.write([indexed(n, vector=unit_vector(300 + n)) for n in range(5)], modality="depth")
    cosines, _ = brute_force(QUERIES)
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :4]
    assert np.array_equal(mixed.search(QUERIES, 4, modalities=["image"]).ids, expected + 1)
    assert (mixed.search(QUERIES, 5, modalities=["depth"]).ids > 10).all()


def test_parts_are_read_from_the_faiss_file(mixed):
    before = mixed.search(QUERIES, 6)
    mixed.publish()
    with Index.open(mixed.folder) as again:
        after = again.search(QUERIES, 6)
    assert np.array_equal(before.ids, after.ids) and np.array_equal(before.parts, after.parts)


def test_an_open_index_sees_parts_that_were_added(filled):
    with Index.open(filled.folder) as other:
        assert other.search(unit_vector(60)[None], 1).parts.tolist() == [[0]]
        filled.add_vectors({}, {"album/4.jpg": [part(60)]})
        found = other.search(unit_vector(60)[None], 1)
    assert (found.ids.tolist(), found.parts.tolist()) == ([[5]], [[1]])
    np.testing.assert_allclose(found.scores, 1, atol=1e-6)


def test_parts_go_with_their_item(index):
    index.write([panorama(0, [50, 51]), *(indexed(n) for n in range(1, 4))])
    near = unit_vector(51)[None]
    assert index.search(near, 1).ids[0] == 1
    index.rename({"album/0.jpg": "moved.jpg"})
    assert index.search(near, 1).items[1].path == "moved.jpg"
    index.set_missing(["moved.jpg"], datetime(2024, 1, 1))
    assert 1 not in index.search(near, 9).ids
    index.verify()
    index.set_missing(["moved.jpg"], None)
    assert index.search(near, 1).ids[0] == 1
    index.delete(["moved.jpg"])
    assert index.search(near, 9).scores.max() < 0.99
    index.verify()


def test_a_changed_item_loses_its_former_parts(index):
    index.write([panorama(0, [50, 51, 52])])
    index.write([panorama(0, [53])])
    assert index.search(unit_vector(51)[None], 1).scores[0, 0] < 0.99
    assert index.shapes()["album/0.jpg"].parts == {"dinov2": 1}
    index.write([indexed(0, vector=None, error="truncated")])
    assert index.shapes() == {}
    index.verify()


def test_new_parts_replace_those_of_the_same_space(mixed):
    mixed.add_vectors({}, {"album/3.jpg": [part(60), part(61, 0.5)]})
    assert mixed.shapes()["album/3.jpg"].parts == {"dinov2": 2}
    assert mixed.search(unit_vector(61)[None], 1).parts.tolist() == [[2]]


def test_shapes(index):
    index.write([panorama(0, [50, 51], width=900, height=200, frames=3), indexed(1)])
    shape = index.shapes()["album/0.jpg"]
    assert (shape.width, shape.height, shape.frames, shape.parts) == (900, 200, 3, {"dinov2": 2})
    assert index.shapes()["album/1.jpg"].parts == {}


def test_bad_parts_are_refused(filled):
    for box in ((0.5, 0, 0.5, 1), (0, 0, 1.1, 1), (-0.1, 0, 1, 1), (0, float("nan"), 1, 1)):
        with pytest.raises(BadRecord, match="within 0 and 1"):
            Part(box, {"dinov2": unit_vector(1)})
    with pytest.raises(BadRecord, match="parts are for items with vectors"):
        indexed(1, vector=None, error="bad", parts=[part(1)])
    with pytest.raises(BadRecord, match="'clip'"):
        filled.write([indexed(0, parts=[part(1, space="clip")])])
    with pytest.raises(BadVector):
        filled.add_vectors({}, {"album/0.jpg": [Part((0, 0, 1, 1), {"dinov2": np.ones(16)})]})
    with pytest.raises(UnknownItem):
        filled.add_vectors({}, {"no.jpg": [part(1)]})
    assert all(not shape.parts for shape in filled.shapes().values())


def test_verify_finds_parts_without_their_whole(mixed):
    with sqlite3.connect(mixed.folder / "catalogue.sqlite3") as database:
        database.execute("DELETE FROM vectors WHERE picture_id = 1")
    with pytest.raises(DamagedIndex, match="2 parts belong to an item without a vector"):
        mixed.verify()


@pytest.mark.parametrize("name", ["index_mini_dinov2", "index_format_2"])
def test_an_index_of_an_older_format_has_no_parts_until_some_are_added(tmp_path, name):
    shutil.copytree(OLD / name, tmp_path / "index")
    with Index.open(tmp_path / "index") as index:
        shapes = index.shapes()
        assert shapes and all(not shape.parts for shape in shapes.values())
        path, space = next(iter(shapes)), index.recipe.space
        vector = unit_vector(3, index.recipe.dim)
        index.add_vectors({}, {path: [Part((0, 0, 0.5, 1), {space: vector})]})
        found = index.search(vector[None], 1)
        assert found.parts.tolist() == [[1]] and found.items[found.ids[0, 0]].path == path
        index.verify()
