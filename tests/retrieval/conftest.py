import numpy as np
import pytest
from PIL import Image

from .fake_model import FakeModel
from .files import write


@pytest.fixture
def model():
    return FakeModel()


@pytest.fixture
def photos(tmp_path):
    """A gallery of 40 images that all differ, in two folders, in several formats."""
    folder = tmp_path / "photos"
    for number in range(40):
        forms = [("png", "PNG"), ("bmp", "BMP"), ("tif", "TIFF")]
        suffix, form = forms[number % 3]
        where = folder / ("a" if number % 2 else "b")
        write(where / f"{number:02}.{suffix}", numbered(number), form)
    return folder


def numbered(number: int) -> Image.Image:
    """A photo of random colours in 4x4 cells; each number has its own."""
    cells = np.random.default_rng(number).integers(0, 255, (4, 4, 3), np.uint8)
    return Image.fromarray(np.kron(cells, np.ones((8, 8, 1), np.uint8)))
