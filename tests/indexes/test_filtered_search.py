"""A filter is applied before ranking: the answers are those of an index of the allowed items."""

import numpy as np
import pytest

from indexes import Details, Index, Part
from indexes.conditions import AllOf, Compare, Known, Near, Not, OneOf
from indexes.fusion import fuse

from .conftest import DIM, indexed, unit_vector
from .test_several_spaces import CLIP

COUNT = 3000
PARTS = dict.fromkeys(range(0, COUNT, 50), 3)


def vector_of(number, space="dinov2", part=0):
    """Sums of its products with a query are exact; of every seven pictures, two are equal."""
    same = number - 1 if number % 7 == 1 and not part else number
    rng = np.random.default_rng([same, part, space == "clip"])
    if space == "dinov2":
        return np.float32(rng.choice([-0.25, 0.25], DIM))
    return np.float32(rng.permutation([*rng.choice([-0.5, 0.5], 4), 0, 0, 0, 0]))


def query_of(number, dim):
    return np.round(unit_vector(900_000 + number, dim) * 4096) / np.float32(4096)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Width is the number of the picture, height its rank for the first query, tags by chance."""
    from indexes import Recipe

    folder = tmp_path_factory.mktemp("filtered")
    recipe = Recipe(model="tiny", fingerprint="f00d", space="dinov2", dim=DIM, preprocessing="none")
    cosines = truth(range(COUNT), QUERIES["dinov2"][0])
    heights = np.argsort(np.argsort(-cosines, kind="stable")) + 1
    with Index.create(folder / "index", root=folder, recipe=[recipe, CLIP]) as index:
        index.write(
            [
                indexed(
                    number,
                    width=number + 1,
                    height=int(heights[number]),
                    vectors={space: vector_of(number, space) for space in ("dinov2", "clip")},
                    parts=[
                        Part(
                            (0.1 * part, 0.0, 0.1 * part + 0.1, 1.0),
                            {s: vector_of(number, s, part) for s in ("dinov2", "clip")},
                        )
                        for part in range(1, 1 + PARTS.get(number, 0))
                    ],
                    details=Details(
                        reader=1, tags=tuple(f"t{d}" for d in (10, 97) if not number % d)
                    ),
                )
                for number in range(COUNT)
            ]
        )
        yield index


def truth(numbers, query, space="dinov2"):
    """The best cosine of each picture: float32 (n,)."""
    return np.array(
        [
            max(vector_of(number, space, part) @ query for part in range(1 + PARTS.get(number, 0)))
            for number in numbers
        ],
        dtype=np.float32,
    )


QUERIES = {
    "dinov2": np.stack([query_of(n, DIM) for n in range(3)]),
    "clip": np.stack([query_of(n, 8) for n in range(3)]),
}
FILTERS = {
    "nothing": (Compare("width", ">", COUNT), []),
    "one": (Compare("width", "=", 78), [77]),
    "a thousandth": (Compare("width", "<=", 3), range(3)),
    "a hundredth": (Compare("tag", "=", "t97"), range(0, COUNT, 97)),
    "a tenth": (Compare("tag", "=", "t10"), range(0, COUNT, 10)),
    "half": (Compare("width", "<=", COUNT // 2), range(COUNT // 2)),
    "nearly all": (Not(Compare("tag", "=", "t97")), [n for n in range(COUNT) if n % 97]),
    "all": (Known("path"), range(COUNT)),
    "with parts": (OneOf("width", (1, 51, 101, 1001)), (0, 50, 100, 1000)),
}


def expected(numbers, scores, k):
    """Numbers of the best k, equal scores by number."""
    order = np.lexsort((np.array(numbers), -scores))
    return [numbers[position] for position in order[:k]]


@pytest.mark.parametrize("k", [1, 10, 500])
@pytest.mark.parametrize("name", FILTERS)
def test_the_best_of_the_allowed_items_are_found(large, name, k):
    condition, numbers = FILTERS[name]
    numbers = list(numbers)
    found = large.search(QUERIES["dinov2"], k, where=condition, space="dinov2")
    assert found.ids.shape == (3, min(k, len(numbers)))
    for row, query in enumerate(QUERIES["dinov2"]):
        cosines = truth(numbers, query)
        wanted = expected(numbers, cosines, k)
        assert (found.ids[row] - 1).tolist() == wanted
        by_number = dict(zip(numbers, cosines, strict=True))
        assert found.scores[row].tolist() == [by_number[n] for n in wanted]


@pytest.mark.parametrize("name", ["far", "near"])
def test_a_filter_that_goes_with_the_query_loses_nothing(large, name):
    """Only the 30 nearest pictures, or only the 30 farthest, are allowed."""
    far = name == "far"
    condition = Compare("height", ">" if far else "<=", COUNT - 30 if far else 30)
    found = large.search(QUERIES["dinov2"][:1], 10, where=condition)
    heights = [item.height for item in large.items(found.ids[0]).values()]
    assert heights == list(range(COUNT - 29, COUNT - 19) if far else range(1, 11))


@pytest.mark.parametrize("fusion", ["rrf", "scores"])
@pytest.mark.parametrize("name", FILTERS)
def test_fused_ranks_count_among_the_allowed_items(large, name, fusion):
    condition, numbers = FILTERS[name]
    numbers = list(numbers)
    weights = {"dinov2": 1.0, "clip": 0.5}
    found = large.search_fused(QUERIES, 10, weights=weights, fusion=fusion, where=condition)
    assert found.ids.shape == (3, min(10, len(numbers)))
    for row in range(3 if numbers else 0):
        cosines = {space: truth(numbers, QUERIES[space][row], space) for space in QUERIES}
        scores = fuse(cosines, weights, fusion)
        assert (found.ids[row] - 1).tolist() == expected(numbers, scores, 10)


@pytest.mark.parametrize("condition", [None, Known("path"), Compare("width", "<=", 1500)])
def test_the_first_five_are_those_of_the_first_fifty(large, condition):
    few = large.search(QUERIES["dinov2"], 5, where=condition)
    many = large.search(QUERIES["dinov2"], 50, where=condition)
    assert np.array_equal(few.ids, many.ids[:, :5])
    assert np.array_equal(few.scores, many.scores[:, :5])
    few, many = (large.search_fused(QUERIES, k, where=condition) for k in (5, 50))
    assert np.array_equal(few.ids, many.ids[:, :5])


def test_a_filter_that_allows_all_changes_no_score(large):
    plain = large.search(QUERIES["dinov2"], 50)
    filtered = large.search(QUERIES["dinov2"], 50, where=Known("path"))
    assert np.array_equal(plain.ids, filtered.ids)
    assert np.array_equal(plain.scores, filtered.scores)


def test_the_part_that_matched_is_told_under_a_filter_too(large):
    plain = large.search(QUERIES["dinov2"], COUNT)
    filtered = large.search(QUERIES["dinov2"], COUNT, where=FILTERS["with parts"][0])
    for row in range(3):
        parts = dict(zip(plain.ids[row], plain.parts[row], strict=True))
        assert [parts[id_] for id_ in filtered.ids[row]] == filtered.parts[row].tolist()


def test_a_filter_and_a_gallery_hold_together(large):
    both = AllOf((Compare("modality", "=", "image"), Compare("width", "<", 11)))
    found = large.search(QUERIES["dinov2"], 50, where=both, modalities=["image"])
    assert sorted(found.ids[0]) == list(range(1, 11))
    assert large.search(QUERIES["dinov2"], 50, where=Near(0, 0, 1e8)).ids.shape == (3, 0)


def test_new_details_count_at_the_next_search_without_new_vectors(filled, make_record):
    query, tagged = unit_vector(5)[None], Compare("tag", "=", "new")
    assert not filled.search(query, 5, where=tagged).ids.size
    with Index.open(filled.folder) as other:
        other.details.write({"album/7.jpg": Details(reader=1, tags=("new",))})
    assert filled.search(query, 5, where=tagged).ids.tolist() == [[8]]
