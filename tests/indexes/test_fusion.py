"""Several spaces are fused from the full ranking in each of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes import BadSearch, BadVector, Index, Recipe
from indexes import fusion as fusion_module
from indexes.fusion import best, fuse, fuse_best, ranks

from .conftest import unit_vector

DIMS = {"dinov2": 16, "clip": 8, "sound": 5}


@pytest.fixture
def three(folder, tmp_path, make_record):
    """Sixty items in three spaces; two of them are equal in all."""
    recipes = [
        Recipe(model="tiny", fingerprint="f", space=space, dim=dim, preprocessing="none")
        for space, dim in DIMS.items()
    ]
    with Index.create(folder, root=tmp_path, recipe=recipes) as index:
        index.write([make_record(n, vectors=vectors(min(n, 58))) for n in range(60)])
        yield index


def vectors(number):
    return {space: unit_vector(number + 100 * dim, dim) for space, dim in DIMS.items()}


def queries(*numbers, spaces=DIMS):
    return {space: np.stack([vectors(number)[space] for number in numbers]) for space in spaces}


def by_hand(index, query, weights, fusion):
    """The same by other means: sorted lists and a sum in a loop."""
    total = dict.fromkeys(range(1, 61), 0.0)
    for space, weight in weights.items():
        cosines = index.vectors(range(1, 61), space=space) @ query[space]
        ranking = sorted(range(60), key=lambda place: (-cosines[place], place))
        for rank, place in enumerate(ranking, start=1):
            if fusion == "rrf":
                total[place + 1] += weight / (60 + rank)
            else:
                total[place + 1] += weight * float(cosines[place]) / sum(weights.values())
    return total


@pytest.mark.parametrize("fusion", ["rrf", "scores"])
@pytest.mark.parametrize(
    "weights", [{"dinov2": 1.0, "clip": 0.5}, {"sound": 2.0, "dinov2": 1.0, "clip": 0.25}]
)
def test_fused_scores_are_sums_over_the_full_rankings(three, fusion, weights):
    asked = queries(200, 58, 7, spaces=weights)
    found = three.search_fused(asked, 20, weights=weights, fusion=fusion)
    assert found.scores.shape == found.ids.shape == (3, 20)
    for row in range(3):
        expected = by_hand(three, {s: asked[s][row] for s in weights}, weights, fusion)
        best_ids = sorted(expected, key=lambda id_: (-round(expected[id_], 7), id_))[:20]
        assert found.ids[row].tolist() == best_ids
        np.testing.assert_allclose(found.scores[row], [expected[i] for i in best_ids], atol=1e-6)
        for space in weights:
            cosines = three.vectors(found.ids[row], space=space) @ asked[space][row]
            np.testing.assert_allclose(found.cosines[space][row], cosines, atol=1e-6)


def test_the_first_in_every_space_is_the_first(three):
    found = three.search_fused(queries(7), 5)
    assert found.ids[0, 0] == 8
    assert found.scores[0, 0] == pytest.approx(3 / 61)
    assert all(found.cosines[space][0, 0] == pytest.approx(1, abs=1e-6) for space in DIMS)


def test_equal_items_come_in_the_order_of_ids(three):
    for fusion in ("rrf", "scores"):
        assert three.search_fused(queries(58), 2, fusion=fusion).ids.tolist() == [[59, 60]]


def test_one_space_alone_ranks_as_it_does_by_itself(three):
    asked = queries(200, spaces=["clip"])
    scores, ids, *_ = three.search(asked["clip"], 60, space="clip")
    found = three.search_fused(asked, 60, fusion="scores")
    assert np.array_equal(found.ids, ids)
    np.testing.assert_allclose(found.scores, scores, atol=1e-6)
    assert np.array_equal(three.search_fused(asked, 60).ids, ids)


def test_a_heavier_space_wins(three):
    asked = {"dinov2": queries(3)["dinov2"], "clip": queries(9)["clip"]}
    for weights, first in (({"dinov2": 50, "clip": 1}, 4), ({"dinov2": 1, "clip": 50}, 10)):
        for fusion in ("rrf", "scores"):
            assert three.search_fused(asked, 1, weights=weights, fusion=fusion).ids[0, 0] == first


def test_no_queries_and_no_items(three, tmp_path):
    none = {space: np.empty((0, dim), np.float32) for space, dim in DIMS.items()}
    assert three.search_fused(none, 5).ids.shape == (0, 5)
    with Index.create(
        tmp_path / "empty", root=tmp_path, recipe=list(three.recipes.values())
    ) as empty:
        assert empty.search_fused(queries(1), 5).ids.shape == (1, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fusion": "sum"}, "must be one of rrf, scores, got 'sum'"),
        ({"weights": {}}, "at least one space"),
        ({"weights": {"dinov2": 1}}, "not those of the queries"),
        ({"weights": dict.fromkeys(DIMS, 0)}, "must be > 0"),
        ({"weights": dict.fromkeys(DIMS, -1.0)}, "must be > 0"),
        ({"weights": dict.fromkeys(DIMS, float("nan"))}, "must be > 0"),
        ({"weights": dict.fromkeys(DIMS, float("inf"))}, "finite"),
        ({"weights": dict.fromkeys(DIMS, True)}, "a number"),
        ({"weights": dict.fromkeys(DIMS, "1")}, "a number"),
        ({"k": 0}, "k must be >= 1, got 0"),
        ({"queries": {**queries(1), "clip": queries(1, 2)["clip"]}}, "different numbers"),
        ({"queries": {**queries(1), "smell": queries(1)["clip"]}}, "no space 'smell'"),
    ],
)
def test_what_cannot_be_fused_is_refused(three, change, message):
    with pytest.raises(BadSearch, match=message):
        three.search_fused(**{"queries": queries(1), "k": 3, **change})
    with pytest.raises(BadVector, match="in 'clip'"):
        three.search_fused({**queries(1), "clip": queries(1)["sound"]}, 3)


scores = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=40)


@given(scores, st.integers(1, 50))
def test_the_best_are_those_of_a_full_sort(values, k):
    expected = sorted(range(len(values)), key=lambda place: (-values[place], place))[:k]
    assert best(np.array(values), k).tolist() == expected


@given(scores)
def test_ranks_are_a_permutation_in_the_order_of_scores(values):
    found = ranks(np.array(values, np.float32))
    assert sorted(found.tolist()) == list(range(1, len(values) + 1))
    order = np.argsort(found)
    assert all(values[a] >= values[b] for a, b in pairwise(order))


@settings(max_examples=50)
@given(scores, st.floats(0.01, 100), st.sampled_from(["rrf", "scores"]))
def test_a_single_space_keeps_its_order_whatever_its_weight(values, weight, fusion):
    cosines = np.array(values, np.float32)
    fused = fuse({"a": cosines}, {"a": weight}, fusion)
    assert np.array_equal(best(fused, len(values)), best(cosines.astype(np.float64), len(values)))


@settings(max_examples=300)
@given(
    st.integers(1, 60).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(-6, 6), min_size=n, max_size=n), min_size=1, max_size=3
        )
    ),
    st.lists(st.floats(0.01, 50), min_size=3, max_size=3),
    st.integers(1, 12),
    st.integers(1, 8),
    st.sampled_from(["rrf", "scores"]),
    st.sampled_from([0, 3, 64]),
)
def test_ranking_only_the_first_items_changes_nothing(values, weights, k, depth, fusion, ties):
    cosines = {str(n): np.array(row, np.float32) / 7 for n, row in enumerate(values)}
    heavy = dict(zip(cosines, weights, strict=False))
    full = fuse(cosines, heavy, fusion)
    expected = best(full, k)
    most = fusion_module._MOST_TIES
    try:
        fusion_module._MOST_TIES = ties
        positions, found = fuse_best(cosines, heavy, fusion, k, depth=depth)
    finally:
        fusion_module._MOST_TIES = most
    np.testing.assert_allclose(found, full[expected], rtol=1e-12)
    assert positions.tolist() == expected.tolist()


def test_most_items_need_no_rank(monkeypatch):
    random = np.random.default_rng(0)
    cosines = {name: random.standard_normal(20_000).astype(np.float32) for name in "ab"}
    weights = {"a": 1.0, "b": 0.3}
    full = fuse(cosines, weights, "rrf")
    monkeypatch.setattr(fusion_module, "ranks", lambda scores: pytest.fail("all were ranked"))
    positions, scores = fuse_best(cosines, weights, "rrf", 10)
    assert positions.tolist() == best(full, 10).tolist()
    np.testing.assert_allclose(scores, full[positions], rtol=1e-12)
