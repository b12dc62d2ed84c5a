"""Search gives exact cosines, best first, over everything that was committed."""

import threading

import numpy as np
import pytest
from sqlalchemy import event

from indexes import BadSearch, BadVector, Index, UnknownItem


def _queries(make_vector, count):
    return np.stack([make_vector(1000 + number) for number in range(count)])


@pytest.mark.parametrize("count", [1, 3, 50])
def test_equals_brute_force(filled, make_vector, count):
    queries = _queries(make_vector, count)
    gallery = np.stack([make_vector(number) for number in range(20)])
    cosines = queries @ gallery.T
    expected = np.argsort(-cosines, axis=1, kind="stable")[:, :7]

    scores, ids, *_ = filled.search(queries, k=7)
    assert scores.dtype == np.float32
    assert ids.dtype == np.int64
    assert np.array_equal(ids, expected + 1)
    np.testing.assert_allclose(scores, np.take_along_axis(cosines, expected, axis=1), atol=1e-6)


def test_scores_stay_within_one_where_float32_would_not(index, make_record):
    # Unit only within the tolerance, so that the raw inner products leave [-1, 1].
    long = np.zeros(16, dtype=np.float32)
    long[0] = 1.0009
    index.write([make_record(1, vector=long), make_record(2, vector=-long)])
    scores, ids, *_ = index.search(long[None], k=2)
    assert scores.tolist() == [[1.0, -1.0]]
    assert ids.tolist() == [[1, 2]]


def test_equal_scores_come_in_the_order_of_ids(index, make_record, make_vector):
    index.write([make_record(number, vector=make_vector(7)) for number in range(9)])
    _, ids, *_ = index.search(make_vector(7)[None], k=9)
    assert ids[0].tolist() == list(range(1, 10))


def test_a_k_above_the_number_of_items_returns_all(filled, make_vector):
    scores, ids, *_ = filled.search(_queries(make_vector, 2), k=1000)
    assert scores.shape == ids.shape == (2, 20)
    assert (ids > 0).all()


def test_an_empty_index_returns_nothing(index, make_vector):
    scores, ids, *_ = index.search(_queries(make_vector, 2), k=5)
    assert scores.shape == ids.shape == (2, 0)
    assert index.items(ids[0]) == {}
    assert index.skipped() == []
    index.publish()
    index.verify()


def test_no_queries_give_no_rows(filled):
    scores, ids, *_ = filled.search(np.empty((0, 16), dtype=np.float32), k=5)
    assert scores.shape == ids.shape == (0, 5)


@pytest.mark.parametrize(
    ("k", "message"),
    [
        (0, "k must be >= 1, got 0"),
        (-1, "k must be >= 1, got -1"),
        (2.0, "an integer, got 2.0"),
        (True, "an integer, got True"),
        (None, "an integer, got None"),
    ],
)
def test_k_must_be_a_positive_integer(k, message, filled, make_vector):
    with pytest.raises(BadSearch, match=message):
        filled.search(_queries(make_vector, 1), k=k)


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda q: q[0],
        lambda q: q[:, :15],
        lambda q: q.astype(np.float64),
        lambda q: q * np.float32(3),
        lambda q: q * np.float32(np.nan),
        lambda q: q.tolist(),
    ],
)
def test_bad_queries_are_refused(spoil, empty, index, make_record, make_vector):
    if not empty:
        index.write([make_record(1)])
    with pytest.raises(BadVector, match="query"):
        index.search(spoil(_queries(make_vector, 1)), k=1)


def test_what_another_opening_commits_is_found(filled, folder, make_record):
    with Index.open(folder) as reader:
        assert reader.search(make_record(40).vectors["dinov2"][None], k=1)[0][0, 0] < 0.99
        filled.write([make_record(40)])
        scores, ids, *_ = reader.search(make_record(40).vectors["dinov2"][None], k=1)
        assert scores[0, 0] == pytest.approx(1.0, abs=1e-6)
        assert ids[0, 0] == filled.snapshot()["album/40.jpg"].id
        filled.delete(["album/40.jpg"])
        assert reader.search(make_record(40).vectors["dinov2"][None], k=1)[0][0, 0] < 0.99


def test_many_hits_cost_two_queries_to_the_catalogue(index, make_record, make_vector):
    index.write([make_record(number) for number in range(200)])
    index.search(make_vector(0)[None], k=1)
    statements = []

    @event.listens_for(index._catalogue._engine, "before_cursor_execute")
    def count(connection, cursor, statement, *rest):
        if statement != "BEGIN":
            statements.append(statement)

    _, ids, _, found, *_ = index.search(make_vector(0)[None], k=100)
    assert len(statements) == 2  # the generation, so that nothing is stale, and the paths
    items = index.items(ids[0])
    assert len(statements) == 3
    assert list(items) == ids[0].tolist()
    assert found == {id_: (item.modality, item.path) for id_, item in items.items()}
    assert index.search(make_vector(0)[None], k=100, items=False).items == {}
    assert len(statements) == 4
    with pytest.raises(UnknownItem, match="999"):
        index.items([1, 999])


def test_threads_search_while_one_writes(filled, make_record, make_vector):
    failures = []

    def search():
        for number in range(20):
            scores, ids, *_ = filled.search(make_vector(number)[None], k=1)
            if ids[0, 0] != number + 1 or abs(scores[0, 0] - 1) > 1e-5:
                failures.append((number, ids, scores))

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(100, 110):
        filled.write([make_record(number)])
    for thread in threads:
        thread.join()
    assert failures == []
