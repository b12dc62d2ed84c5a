import io

import pytest
from PIL import Image

from retrieval.images.decoding import decode, upright
from tests.retrieval.images.encoding import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    corners,
    encoded,
    near,
    quarters,
)

SHOWN = {
    1: [RED, GREEN, BLUE, YELLOW],
    2: [GREEN, RED, YELLOW, BLUE],
    3: [YELLOW, BLUE, GREEN, RED],
    4: [BLUE, YELLOW, RED, GREEN],
    5: [RED, BLUE, GREEN, YELLOW],
    6: [BLUE, RED, YELLOW, GREEN],
    7: [YELLOW, GREEN, BLUE, RED],
    8: [GREEN, YELLOW, RED, BLUE],
}
FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"]


def tagged(form, orientation, size=(120, 80)):
    exif = Image.Exif()
    exif[0x0112] = orientation
    if form == "TIFF":
        return encoded(quarters(*size), form, tiffinfo={274: orientation})
    if form == "HEIF":
        pillow_heif = pytest.importorskip("pillow_heif")
        pillow_heif.register_heif_opener()
        image = quarters(*size)
        image.info["exif"] = exif.tobytes()  # the encoder makes a turn box of this one
        return encoded(image, form, quality=95)
    return encoded(quarters(*size), form, exif=exif, quality=95)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("orientation", SHOWN)
def test_of_every_value_in_every_format(form, orientation):
    decoded = decode(tagged(form, orientation))
    assert near(corners(decoded.image), SHOWN[orientation], within=20)
    assert (decoded.info.width, decoded.info.height) == decoded.image.size
    assert decoded.image.size == ((120, 80) if orientation < 5 else (80, 120))


def test_of_a_heif_file_whose_exif_alone_names_it():
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encoded(quarters(), "HEIF", exif=exif, quality=95))
    assert near(corners(decoded.image), SHOWN[6], within=20)
    assert (decoded.info.width, decoded.info.height) == (80, 120)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("orientation", [3, 6])
def test_of_an_image_that_pillow_has_opened(form, orientation):
    image = upright(Image.open(io.BytesIO(tagged(form, orientation))))
    assert near(corners(image), SHOWN[orientation], within=20)


@pytest.mark.parametrize("orientation", [1, 6])
def test_the_size_is_that_of_the_whole_image_where_it_is_decoded_smaller(orientation):
    decoded = decode(tagged("JPEG", orientation, (2400, 1800)))
    shown = (2400, 1800) if orientation == 1 else (1800, 2400)
    assert (decoded.info.width, decoded.info.height) == shown
    assert max(decoded.image.size) < 1300
