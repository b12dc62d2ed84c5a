import numpy as np
import pytest

from retrieval.errors import ItemError
from retrieval.images import formats
from retrieval.images.decoding import decode
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

rawpy = pytest.importorskip("rawpy")


class Preview:
    def __init__(self, form, data):
        self.format, self.data = form, data


class Raw:
    """What `rawpy.imread` gives, with a preview of our own."""

    def __init__(self, preview):
        self.preview = preview

    def __enter__(self):
        return self

    def __exit__(self, *trace):
        pass

    def extract_thumb(self):
        if isinstance(self.preview, Exception):
            raise self.preview
        return self.preview


@pytest.mark.parametrize("form", ["jpeg", "bitmap"])
def test_the_preview_is_read(form, monkeypatch):
    shown = quarters(600, 400)
    data = encoded(shown, "JPEG", quality=95) if form == "jpeg" else np.asarray(shown)
    kind = rawpy.ThumbFormat.JPEG if form == "jpeg" else rawpy.ThumbFormat.BITMAP
    monkeypatch.setattr(rawpy, "imread", lambda file: Raw(Preview(kind, data)))
    decoded = decode(b"raw", "holiday/IMG_1.CR2")
    assert near(corners(decoded.image), [RED, GREEN, BLUE, YELLOW])


def test_a_raw_file_without_a_preview_is_refused(monkeypatch):
    missing = rawpy.LibRawNoThumbnailError(b"none")
    monkeypatch.setattr(rawpy, "imread", lambda file: Raw(missing))
    with pytest.raises(ItemError, match="no preview"):
        decode(b"raw", "a.nef")


def test_what_is_no_raw_file_is_refused():
    with pytest.raises(ItemError, match="not a readable RAW file"):
        decode(b"not raw at all", "a.dng")


def test_the_reason_names_the_package(monkeypatch):
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ItemError, match="needs the package rawpy"):
        decode(b"raw", "a.arw")
