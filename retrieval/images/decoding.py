"""Decoding of image files to upright RGB images of a size that suits the models."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, UnidentifiedImageError

from retrieval.errors import ItemError
from retrieval.images.info import ImageInfo, read_image_info

SHORT_SIDE = 448
"""Images are reduced by a whole factor while their short side stays at least this long, which is
twice the 224 pixels of the models' inputs: one antialiased resize is left to them."""

MAX_PIXELS = 178_956_970
"""Images with more pixels are refused: a small file can decode to any amount of memory."""

_GIANT_PIXELS = 24_000_000
_one_giant_at_a_time = threading.Lock()

# A list, because Pillow has plugins that start other programs (EPS) or read other kinds of files.
_FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF"),
    "HEIF",
)


@dataclass(frozen=True)
class DecodedImage:
    """`image` is RGB, upright, over white where it was transparent, reduced by a whole factor."""

    image: Image.Image
    info: ImageInfo


def decode(content: bytes) -> DecodedImage:
    """Decode the content of an image file; of an animation, the first frame.

    Raises:
        ItemError: it cannot be decoded; the message is the reason.
    """
    if not content:
        raise ItemError("empty file")
    try:
        with Image.open(io.BytesIO(content), formats=_formats()) as opened:
            info = read_image_info(opened)
            if opened.width * opened.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            opened.draft(None, (SHORT_SIDE, SHORT_SIDE))
            with _memory_for(opened):
                opened.load()
                image = _shrunk(to_rgb(opened))
    except UnidentifiedImageError:
        raise ItemError(_unidentified(content)) from None
    except Image.DecompressionBombError:
        raise ItemError(f"decompression bomb: more than the limit of {MAX_PIXELS} pixels") from None
    except MemoryError:
        raise ItemError("not enough memory to decode it") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError ...
        raise ItemError(f"truncated or damaged: {_first_line(error)}") from None
    if info.turn is not None:
        image = image.transpose(info.turn)
    return DecodedImage(image, info)


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of any mode as 8-bit RGB, over white where it is transparent.

    16-bit and 32-bit integer greys are read as 0 to 65535, floats as 0 to 1 when none is above 1
    and as 0 to 255 otherwise.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_grey8(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def upright(image: Image.Image) -> Image.Image:
    """An opened Pillow image, treated as `decode` treats a file that needs no draft."""
    info = read_image_info(image)
    rgb = _shrunk(to_rgb(image))
    return rgb if info.turn is None else rgb.transpose(info.turn)


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence the warnings of Pillow about large images, which `MAX_PIXELS` limits, and about
    damaged EXIF data, which is read as missing.

    Enter it in the main thread before workers start: warning filters belong to the process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _shrunk(image: Image.Image) -> Image.Image:
    factor = next((f for f in (8, 4, 2) if min(image.size) // f >= SHORT_SIDE), 1)
    return image if factor == 1 else image.reduce(factor)


def _grey8(values: np.ndarray) -> np.ndarray:
    numbers = values.astype(np.float32)
    if values.dtype.kind != "f":
        numbers = numbers / 257.0
    elif not np.nanmax(numbers, initial=0.0) > 1.0:
        numbers = numbers * 255.0
    clipped = np.clip(np.nan_to_num(numbers), 0.0, 255.0)
    return np.rint(clipped).astype(np.uint8)


def _memory_for(image: Image.Image) -> AbstractContextManager[object]:
    giant = image.width * image.height > _GIANT_PIXELS
    return _one_giant_at_a_time if giant else nullcontext()


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _unidentified(content: bytes) -> str:
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc"):
        return "HEIC cannot be decoded by Pillow alone; convert it to JPEG"
    return "not an image of a supported format"


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
