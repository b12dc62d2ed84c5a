import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from retrieval.errors import ItemError
from retrieval.images import damage
from retrieval.images.decoding import decode
from retrieval.images.limits import DecodingOptions, default_max_pixels
from tests.retrieval.images.encoding import (
    COLOURS,
    corners,
    encoded,
    near,
    quarters,
)

LENIENT = DecodingOptions(allow_truncated=True)


def noise(size=(320, 240)):
    values = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(values)


class TestTruncated:
    @pytest.mark.parametrize("progressive", [False, True])
    def test_a_jpeg_without_its_end_mark_is_read(self, progressive):
        whole = encoded(quarters(600, 400), "JPEG", quality=90, progressive=progressive)
        decoded = decode(whole[:-2])
        assert near(corners(decoded.image), COLOURS)
        assert np.array_equal(np.asarray(decoded.image), np.asarray(decode(whole).image))

    @pytest.mark.parametrize("form", ["JPEG", "PNG"])
    def test_the_missing_share_of_a_truncated_file_is_reported(self, form):
        content = encoded(noise(), form)
        with pytest.raises(ItemError, match=r"4\d % of the image is missing.*--allow-truncated"):
            decode(content[: len(content) * 11 // 20])

    @pytest.mark.parametrize("form", ["JPEG", "PNG"])
    def test_what_is_left_is_read_where_that_is_allowed(self, form):
        content = encoded(noise(), form)
        half = np.asarray(decode(content[: len(content) * 11 // 20], options=LENIENT).image)
        whole = np.asarray(decode(content).image)
        assert np.array_equal(half[:100], whole[:100]) and not np.array_equal(half, whole)

    def test_allowing_it_leaves_pillow_as_it_was(self):
        from PIL import ImageFile

        content = encoded(noise(), "PNG")
        decode(content[: len(content) // 2], options=LENIENT)
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False

    def test_a_file_that_breaks_off_in_its_header_is_refused(self):
        with pytest.raises(ItemError):
            decode(encoded(noise(), "JPEG")[:100], options=LENIENT)


class TestLongTexts:
    @pytest.mark.parametrize("packed", [True, False])
    def test_a_png_with_megabytes_of_text_is_read(self, packed):
        info = PngImagePlugin.PngInfo()
        info.add_text("workflow", "x" * 2_000_000, zip=packed)
        info.add_itxt("XML:com.adobe.xmp", "y" * 3_000_000, zip=packed)
        assert near(corners(decode(encoded(quarters(), "PNG", pnginfo=info)).image), COLOURS)

    def test_short_texts_stay(self):
        info = PngImagePlugin.PngInfo()
        info.add_text("title", "a beach")
        content = encoded(quarters(), "PNG", pnginfo=info)
        assert damage.without_long_texts(content) is content


class TestLimits:
    def test_what_counts_is_what_is_unpacked(self):
        content = encoded(Image.new("L", (8000, 6000), 128), "JPEG", quality=30)
        decoded = decode(content, options=DecodingOptions(max_pixels=2_000_000))
        assert (decoded.info.width, decoded.info.height) == (8000, 6000)

    def test_a_jpeg_beyond_pillows_own_limit_is_read(self):
        content = encoded(Image.new("L", (16320, 12240), 128), "JPEG", quality=30)
        assert decode(content).info.width == 16320

    def test_the_message_says_how_to_raise_it(self):
        content = encoded(Image.new("L", (3000, 1000)))
        with pytest.raises(ItemError, match=r"3 megapixels.*limit is 1 .*--max-pixels"):
            decode(content, options=DecodingOptions(max_pixels=1_000_000))
        assert decode(content, options=DecodingOptions(max_pixels=3_000_000)).info.width == 3000

    def test_it_follows_free_memory_within_bounds(self, monkeypatch):
        import psutil

        class Memory:
            available = 0

        monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory)
        assert default_max_pixels() == 50_000_000
        Memory.available = 16 << 30
        assert default_max_pixels() == (16 << 30) // 64
        Memory.available = 1 << 50
        assert default_max_pixels() == 1_000_000_000
