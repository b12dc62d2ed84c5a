"""The limits of decoding as options of a build."""

import pytest
from PIL import Image

from retrieval import Gallery, UsageError
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.images.encoding import encoded, quarters


@pytest.fixture
def folder(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "large.png").write_bytes(encoded(Image.new("RGB", (300, 200))))
    whole = encoded(quarters(600, 400), "JPEG")
    (photos / "half.jpg").write_bytes(whole[: len(whole) * 3 // 5])
    return photos


def states(folder, **options):
    with Gallery.build(folder, folder.parent / "index", FakeModel(), **options) as gallery:
        return {path: entry.state for path, entry in gallery.index.snapshot().items()}


def test_images_beyond_the_limit_are_skipped(folder):
    assert states(folder, max_pixels=50_000)["large.png"] == "skipped"
    assert states(folder, max_pixels=60_000, retry=True)["large.png"] == "indexed"


def test_truncated_images_are_read_where_that_is_allowed(folder):
    assert states(folder)["half.jpg"] == "skipped"
    assert states(folder, allow_truncated=True, retry=True)["half.jpg"] == "indexed"


def test_a_limit_below_one_is_refused(folder):
    with pytest.raises(UsageError, match="max_pixels: must be >= 1, got 0"):
        states(folder, max_pixels=0)
