import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourm import BadInput
from fourm.modalities import palette
from fourm.modalities.boxes import Box
from fourm.modalities.boxes import vectors as box_vectors
from fourm.modalities.metadata import vectors as metadata_vectors

BYTES = st.floats(0, 255)
EDGE = st.floats(0, 1)


@given(st.lists(st.tuples(BYTES, BYTES, BYTES), min_size=1, max_size=7))
def test_the_shares_of_a_colour_sum_to_one_and_restore_it(colours):
    rows = palette.palette_items(colours)
    assert rows.shape == (len(colours), palette.PALETTE_WIDTH) and rows.dtype == np.float32
    assert rows.min() >= 0 and np.allclose(rows.sum(1), 1, atol=1e-5)
    grid = rows.reshape(-1, *[palette.COLOUR_KNOTS] * 3)
    knots = np.linspace(0, 255, palette.COLOUR_KNOTS)
    back = [grid.sum(axis=tuple({1, 2, 3} - {axis})) @ knots for axis in (1, 2, 3)]
    assert np.allclose(np.array(back).T, colours, atol=0.02)


def test_near_colours_are_near_and_far_ones_share_nothing():
    red, rather_red, blue = palette.palette_items([(250, 10, 10), (240, 20, 10), (10, 10, 250)])
    assert red @ rather_red > 10 * (red @ blue)


@given(st.sampled_from(list(metadata_vectors.RANGES)), st.floats(-1e6, 1e6))
def test_a_value_lies_between_its_two_nearest_knots(name, value):
    (row,) = metadata_vectors.metadata_items({name: value})
    own = row.reshape(len(metadata_vectors.RANGES), metadata_vectors.VALUE_KNOTS)
    place = list(metadata_vectors.RANGES).index(name)
    assert np.isclose(own[place].sum(), 1) and np.isclose(own.sum(), 1)
    low, high = metadata_vectors.RANGES[name]
    told = own[place] @ np.linspace(low, high, metadata_vectors.VALUE_KNOTS)
    assert math.isclose(told, min(max(value, low), high), abs_tol=1e-3 * (high - low))


def test_the_order_of_keys_does_not_matter():
    a = metadata_vectors.metadata_items({"contrast": 40, "n_humans": 2})
    b = metadata_vectors.metadata_items({"n_humans": 2, "contrast": 40})
    assert np.array_equal(a, b)


@given(EDGE, EDGE, EDGE, EDGE)
def test_a_box_has_its_class_and_the_cells_that_it_covers(a, b, c, d):
    box = Box(min(a, b), min(c, d), max(a, b), max(c, d), "dog")
    (row,) = box_vectors.box_items([box])
    assert row.shape == (box_vectors.BOXES_WIDTH,)
    cover = row[-(box_vectors.CELLS**2) :]
    area = (box.xmax - box.xmin) * (box.ymax - box.ymin)
    assert math.isclose(cover.sum() / box_vectors.CELLS**2, area, abs_tol=1e-5)
    named = row[: -(box_vectors.CELLS**2)].reshape(box_vectors.BOX_CLASSES, -1)
    assert np.flatnonzero(named[:, 0]).tolist() == np.flatnonzero(named.sum(1)).tolist()


def test_boxes_come_largest_first_without_uncertain_ones():
    small, large = Box(0, 0, 0.1, 0.1, "cat"), Box(0, 0, 1, 1, "dog")
    unsure = Box(0, 0, 1, 1, "bird", score=0.3)
    rows = box_vectors.box_items([small, unsure, large])
    assert np.array_equal(rows, box_vectors.box_items([large, small]))


@pytest.mark.parametrize(
    "colours", [[], [(1, 2)], [(1, 2, 300)], [(-1, 0, 0)], [(math.nan, 0, 0)], [(0, 0, 0)] * 8]
)
def test_invalid_palettes_are_refused(colours):
    with pytest.raises(BadInput):
        palette.palette_items(colours)


@pytest.mark.parametrize(
    "facts",
    [{}, {"walkability": 0.5}, {"brightness": math.inf}, {"brightness": True}, {"contrast": "4"}],
)
def test_metadata_that_the_model_does_not_read_is_refused(facts):
    with pytest.raises(BadInput) as refused:
        metadata_vectors.metadata_items(facts)
    if "walkability" in facts or not facts:
        assert "brightness" in str(refused.value)


@pytest.mark.parametrize(
    "boxes",
    [[], [Box(0, 0, 1, 1, "dragon")], [Box(0.5, 0, 0.1, 1, "dog")], [Box(0, 0, 1, 2, "dog")]],
)
def test_invalid_boxes_are_refused(boxes):
    with pytest.raises(BadInput):
        box_vectors.box_items(boxes)
