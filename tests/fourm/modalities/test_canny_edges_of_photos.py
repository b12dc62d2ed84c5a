import numpy as np
import pytest

from fourm.errors import BadInput
from fourm.modalities.edges import canny_edges


def step_image(direction):
    """Dark on one side, light on the other."""
    rows, columns = np.mgrid[0:32, 0:32]
    side = {
        "vertical": columns,
        "horizontal": rows,
        "falling": (rows - columns) + 16,
        "rising": (rows + columns) / 2,
    }[direction]
    return np.repeat(((side >= 16) * 200 + 20).astype(np.uint8)[..., None], 3, -1)


@pytest.mark.parametrize("direction", ["vertical", "horizontal"])
def test_a_straight_step_is_one_line_of_single_width(direction):
    edges = canny_edges(step_image(direction), 32)
    assert edges.shape == (1, 32, 32)
    assert edges.dtype == np.uint8
    assert set(np.unique(edges)) == {0, 255}
    lines = (edges[0] > 0).sum(axis=1 if direction == "vertical" else 0)
    assert (lines == 1).all()


@pytest.mark.parametrize("direction", ["falling", "rising"])
def test_a_slanted_step_is_one_connected_line(direction):
    edges = canny_edges(step_image(direction), 32)[0] > 0
    inner = edges[2:-2]
    assert ((inner.sum(axis=1) >= 1) & (inner.sum(axis=1) <= 2)).all()


def test_a_flat_image_has_none():
    assert not canny_edges(np.full((8, 8, 3), 90, np.uint8), 8).any()


def test_a_step_in_one_colour_is_enough():
    photo = np.zeros((16, 16, 3), np.uint8)
    photo[:, 8:, 2] = 255
    assert (canny_edges(photo, 16)[0] > 0).sum() == 16


def test_weak_edges_stay_only_where_a_strong_one_continues():
    photo = np.zeros((32, 32, 3), np.uint8)
    photo[:, 8:] = 40  # a gradient of 160: between the thresholds
    assert not canny_edges(photo, 32).any()
    photo[:16, 8:] = 120  # the same line goes on, strong
    edges = canny_edges(photo, 32)[0] > 0
    assert edges[20:, 7:9].any(axis=1).all()
    assert canny_edges(photo, 32, low=20, high=150).sum() >= edges.sum()


def test_wrong_thresholds():
    with pytest.raises(BadInput, match="thresholds"):
        canny_edges(np.zeros((4, 4, 3), np.uint8), low=9, high=3)
