import pytest
from PIL import Image

from retrieval.images.decoding import decode
from tests.retrieval.images.encoding import (
    BLUE,
    COLOURS,
    RED,
    corners,
    encoded,
    near,
    quarters,
)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF"])
def test_the_first_frame_that_is_not_of_one_colour(form):
    blank = Image.new("RGBA", (120, 80), (0, 0, 0, 0) if form != "AVIF" else (9, 9, 9, 255))
    frames = [blank, quarters().convert("RGBA"), quarters(colours=COLOURS[::-1]).convert("RGBA")]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=50)
    assert near(corners(decode(content).image), COLOURS, within=40)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_the_first_of_frames_that_are_all_plain(form):
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    assert near([decode(content).image.getpixel((9, 9))], [RED])


def test_the_largest_page_of_a_tiff():
    thumbnail = Image.new("RGB", (16, 16))
    content = encoded(thumbnail, "TIFF", save_all=True, append_images=[quarters(600, 400)])
    decoded = decode(content)
    assert near(corners(decoded.image), COLOURS)
    assert (decoded.info.width, decoded.info.height) == (600, 400)
