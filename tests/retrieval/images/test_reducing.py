import io

import numpy as np
import pytest
from PIL import Image

from fourm.modalities.pixels import square_pixels
from retrieval.images.decoding import decode
from retrieval.images.reducing import reduction
from tests.retrieval.images.encoding import encoded


def detailed(width, height):
    """Smooth colours under fine noise, in which a shift of half a pixel shows."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 256, (9, 12, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return Image.fromarray(
        np.clip(smooth + random.normal(0, 15, (height, width, 1)), 0, 255).astype(np.uint8)
    )


def seen(image):
    return square_pixels(image).astype(int)


@pytest.mark.parametrize(
    "size, factor",
    [
        ((4032, 3024), 4),
        ((3024, 4032), 4),
        ((6000, 4000), 8),
        ((1920, 1080), 2),
        ((2600, 1950), 1),
        ((1800, 1350), 1),
        ((1921, 1080), 1),
        ((1000, 895), 1),
        ((896, 896), 2),
        ((17_321, 11_547), 8),
        ((17_320, 11_552), 4),
        ((40_000, 700), 1),
    ],
)
def test_the_central_square_lies_between_blocks(size, factor):
    assert reduction(*size) == factor


@pytest.mark.parametrize("form", ["JPEG", "PNG", "PNG with alpha"])
@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1800, 1350), (1301, 925)])
def test_the_models_see_almost_what_a_plain_resize_gives(form, size):
    image = detailed(*size)
    if form == "PNG with alpha":
        image.putalpha(255)
        image.putpixel((0, 0), (0, 0, 0, 254))
    content = encoded(image, form.split()[0])
    with Image.open(io.BytesIO(content)) as opened:
        plain = seen(opened.convert("RGB"))
    differences = np.abs(seen(decode(content).image) - plain)
    if form == "PNG":
        assert not differences.any()
    assert differences.max() <= 8
    assert differences.mean() < 0.75
