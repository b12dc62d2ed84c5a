import numpy as np
import pytest
from PIL import Image

from retrieval.images.squares import MOST, WIDE, cut, squares


@pytest.mark.parametrize("size", [(4032, 3024), (6000, 4000), (4000, 6000), (1500, 1000), (9, 9)])
def test_ordinary_photos_have_no_squares(size):
    assert squares(*size) == []


@pytest.mark.parametrize(
    "size, count",
    [
        ((1920, 1080), 2),
        ((1080, 1920), 2),
        ((2000, 1000), 2),
        ((1170, 2532), 4),
        ((3000, 1000), 4),
        ((700, 100), 12),
        ((9000, 30), 12),
    ],
)
def test_squares_lie_evenly_around_the_central_one(size, count):
    boxes = np.array(squares(*size))
    width, height = size
    assert len(boxes) == count <= MOST
    sides = (boxes[:, 2:] - boxes[:, :2]) * [width, height]
    assert np.allclose(sides, min(size))
    assert np.allclose(boxes + boxes[::-1][:, [2, 3, 0, 1]], 1)
    assert boxes.min() == 0 and boxes.max() == 1


@pytest.mark.parametrize("ratio", [WIDE, 2.2, 3, 5.5, 6.99])
def test_every_place_is_in_the_middle_of_some_square(ratio):
    boxes = squares(round(1000 * ratio), 1000)
    starts = sorted([box[0] * ratio for box in boxes] + [(ratio - 1) / 2])
    assert np.diff(starts).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (301, 99), (7000, 1)])
def test_squares_are_cut_out_of_an_image_of_another_size(size):
    height, width = size[::-1]
    pixels = np.arange(width * height * 3, dtype=np.uint32).reshape(height, width, 3) % 251
    image = Image.fromarray(pixels.astype(np.uint8))
    for box in squares(8 * width, 8 * height):
        square = cut(image, box)
        assert square.size == (min(size), min(size))
        left, top = round(box[0] * width), round(box[1] * height)
        expected = pixels[top : top + min(size), left : left + min(size)]
        assert np.array_equal(np.asarray(square), expected)
