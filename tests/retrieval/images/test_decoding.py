"""Images of every format are decoded to upright RGB, and damaged ones have a reason."""

import io
import struct
import zlib
from datetime import datetime

import numpy as np
import pytest
from PIL import Image

from retrieval.errors import ItemError
from retrieval.images import decode
from retrieval.images import decoding as decoding_module
from retrieval.images.decoding import upright
from tests.retrieval.files import encoded, striped

RED = (200, 40, 20)


def middle(content: bytes) -> tuple[int, int, int]:
    image = decode(content).image
    assert image.mode == "RGB"
    return image.getpixel((image.width // 4, image.height // 2))


def close(a, b, within=3):
    return max(abs(x - y) for x, y in zip(a, b, strict=True)) <= within


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000"])
def test_every_format_keeps_the_colour(form):
    assert close(middle(encoded(striped(RED), form)), RED, within=12)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation):
    shown = np.zeros((40, 60, 3), np.uint8)
    shown[:20, :30], shown[:20, 30:], shown[20:, :30] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    turn = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }[undo]
    stored = Image.fromarray(shown)
    stored = stored if turn is None else stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(stored, "PNG", exif=exif))
    assert np.array_equal(np.asarray(decoded.image), shown)
    assert (decoded.info.width, decoded.info.height) == (60, 40)
    assert decoded.info.orientation == orientation
    assert np.array_equal(
        np.asarray(upright(Image.open(io.BytesIO(encoded(stored, exif=exif))))), shown
    )


def test_transparency_lies_over_white():
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    grey = Image.new("LA", (8, 8), (0, 0))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([10, 20, 30])
    for image in (clear, grey):
        image.putpixel((7, 7), (0,) * (len(image.mode) - 1) + (255,))
    palette.putpixel((7, 7), 1)
    keyed = Image.new("RGB", (8, 8), RED)
    keyed.putpixel((7, 7), (0, 0, 0))
    assert middle(encoded(clear)) == (255, 255, 255)
    assert close(middle(encoded(half)), (127, 127, 127))
    assert middle(encoded(grey)) == (255, 255, 255)
    assert middle(encoded(palette)) == (10, 20, 30)
    assert middle(encoded(palette, transparency=0)) == (255, 255, 255)
    assert middle(encoded(keyed, transparency=RED)) == (255, 255, 255)


def test_greys_of_every_depth_keep_their_brightness():
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64)
    expected = np.rint(ramp / 257).astype(np.uint8)
    sixteen = Image.fromarray(ramp.astype(np.uint16))
    assert sixteen.mode == "I;16"
    for content in (
        encoded(sixteen, "PNG"),
        encoded(sixteen, "TIFF"),
        encoded(Image.fromarray(ramp.astype(np.int32)), "TIFF"),
        encoded(Image.fromarray((ramp / 65535).astype(np.float32)), "TIFF"),
        encoded(Image.fromarray((ramp / 257).astype(np.float32)), "TIFF"),
        encoded(Image.fromarray(expected), "PNG"),
    ):
        got = np.asarray(decode(content).image).astype(int)
        assert np.abs(got - expected[..., None]).max() <= 1
    assert middle(encoded(Image.new("1", (8, 8), 1))) == (255, 255, 255)


def test_cmyk_becomes_rgb():
    cmyk = Image.new("CMYK", (16, 16), (0, 200, 200, 0))
    assert close(middle(encoded(cmyk, "JPEG")), (255, 55, 55), within=6)
    assert close(middle(encoded(cmyk, "TIFF")), (255, 55, 55), within=1)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_the_first_frame_of_an_animation_is_decoded(form):
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, (0, 0, 255))]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    assert close(middle(content), RED, within=8)


def test_large_jpegs_and_pngs_are_reduced_to_the_same_size():
    big = striped(RED, (2000, 1800))
    clear = big.copy()
    clear.putalpha(254)
    jpeg, png = decode(encoded(big, "JPEG")), decode(encoded(clear, "PNG"))
    assert jpeg.image.size == png.image.size == (500, 450)
    assert (jpeg.info.width, jpeg.info.height) == (2000, 1800)
    assert close(jpeg.image.getpixel((100, 100)), RED)
    assert np.array_equal(np.asarray(upright(clear)), np.asarray(png.image))
    # Where nothing is converted it would save little.
    assert decode(encoded(big, "PNG")).image.size == upright(big).size == (2000, 1800)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "JPEG2000", "WEBP"])
def test_truncated_files_give_a_reason(form):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8))
    content = encoded(noise, form)
    for part in (0.9, 0.5, 0.05):
        with pytest.raises(ItemError) as caught:
            decode(content[: int(len(content) * part)])
        assert "\n" not in str(caught.value)
        assert str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"hello, I am no photo", "not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "not an image"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64), "not an image"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "image"),
    ],
)
def test_what_is_not_an_image_has_a_reason(content, reason):
    with pytest.raises(ItemError, match=reason):
        decode(content)


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))
    )


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    with pytest.raises(ItemError, match="3600 megapixels to unpack"):
        decode(bomb(60000, 60000))


def test_the_limit_holds_without_that_of_pillow(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with pytest.raises(ItemError, match="3600 megapixels to unpack"):
        decode(bomb(60000, 60000))


def test_damaged_exif_data_is_ignored():
    content = encoded(striped(RED), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff\x01\x00")
    decoded = decode(content)
    assert close(middle(content), RED, within=6)
    assert decoded.info.orientation is None and decoded.info.taken is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2024:05:31 18:04:12", datetime(2024, 5, 31, 18, 4, 12)),
        ("2024:13:31 18:04:12", None),
        ("    :  :     :  :  ", None),
        ("yesterday", None),
    ],
)
def test_the_date_is_that_of_the_camera_or_none(written, read):
    exif = Image.Exif()
    exif[0x8769] = {0x9003: written}
    assert decode(encoded(striped(RED), "JPEG", exif=exif)).info.taken == read


def test_giant_images_are_decoded_one_at_a_time(monkeypatch):
    monkeypatch.setattr(decoding_module, "GIANT_PIXELS", 100)
    content = encoded(striped(RED))
    held = decoding_module._one_giant_at_a_time
    seen = []
    shrunk = decoding_module._shrunk
    monkeypatch.setattr(
        decoding_module, "_shrunk", lambda image: seen.append(held.locked()) or shrunk(image)
    )
    decode(content)
    assert seen == [True] and not held.locked()
