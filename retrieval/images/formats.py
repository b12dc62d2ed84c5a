"""Opening a file's bytes with the decoder of its format."""

from __future__ import annotations

import importlib.util
import io
import threading
from functools import cache
from pathlib import PurePath

import numpy as np
from PIL import Image, UnidentifiedImageError

from retrieval.errors import ItemError
from retrieval.images.damage import without_long_texts
from retrieval.suffixes import RAW_SUFFIXES

# Named, because Pillow has plugins that start other programs (EPS) or read what no image is.
_FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "JPEG2000", "AVIF"),
    *("HEIF", "JXL"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JXL_STARTS = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")
_MODULES = {"pillow-heif": "pillow_heif", "rawpy": "rawpy", "pillow-jxl-plugin": "pillow_jxl"}
_FORMER_HEIC = ("HEIC is not read by Pillow itself", "HEIC cannot be decoded by Pillow alone")
"""What versions without HEIC have stored."""

_opening = threading.Lock()


class NoDecoder(ItemError):
    """The format is known, but nothing that decodes it is installed.

    Attributes:
        package: what is to be installed.
    """

    def __init__(self, package: str, kind: str, install: str = "") -> None:
        self.package = package
        super().__init__(f"{kind} needs the package {package}: `pip install {install or package}`")


def open_image(content: bytes, name: str | None = None) -> Image.Image:
    """Open the bytes of an image file; its pixels are not unpacked yet.

    Args:
        content: the whole file.
        name: of the file; camera RAW is known by its suffix.

    Raises:
        NoDecoder: what would decode it is not installed; the message names the package.
        ItemError: not an image.
    """
    if name is not None and PurePath(name).suffix.lower() in RAW_SUFFIXES:
        content = _raw_preview(content)
    _register_for(content)
    content = without_long_texts(content)
    # Pillow's own limit is for the whole image; here what is unpacked is judged, and a JPEG may be
    # unpacked at an eighth of its size. The limit belongs to the process, hence the lock.
    with _opening:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(io.BytesIO(content), formats=_formats())
        except UnidentifiedImageError:
            raise ItemError("not an image of a supported format") from None
        finally:
            Image.MAX_IMAGE_PIXELS = before


def can_decode_now(package: str | None, reason: str) -> bool:
    """Whether a file was skipped because its decoder was missing, and can be decoded now.

    Args:
        package: what was missing, as an index has stored it.
        reason: why it was skipped; older indexes have it alone.
    """
    if reason.startswith(_FORMER_HEIC):
        return _heif_registered()
    if package is None:
        package = reason.partition(" needs the package ")[2].partition(":")[0]
    return package in _MODULES and importlib.util.find_spec(_MODULES[package]) is not None


def _register_for(content: bytes) -> None:
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS and not _heif_registered():
        raise NoDecoder("pillow-heif", "HEIC")
    if content.startswith(_JXL_STARTS) and not _jxl_registered():
        raise NoDecoder("pillow-jxl-plugin", "JPEG XL")


@cache
def _heif_registered() -> bool:
    if importlib.util.find_spec("pillow_heif") is None:
        return False
    import pillow_heif

    pillow_heif.register_heif_opener()
    _formats.cache_clear()
    return True


@cache
def _jxl_registered() -> bool:
    if importlib.util.find_spec("pillow_jxl") is None:
        return False
    importlib.import_module("pillow_jxl")
    _formats.cache_clear()
    return True


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _raw_preview(content: bytes) -> bytes:
    """The largest JPEG that a camera has put into its RAW file."""
    if importlib.util.find_spec("rawpy") is None:
        raise NoDecoder("rawpy", "camera RAW", "'fourm-retrieval[raw]'")
    import rawpy

    try:
        with rawpy.imread(io.BytesIO(content)) as raw:
            preview = raw.extract_thumb()
    except rawpy.LibRawNoThumbnailError:
        raise ItemError("the RAW file has no preview") from None
    except rawpy.LibRawError as error:
        raise ItemError(f"not a readable RAW file ({error})") from None
    if preview.format == rawpy.ThumbFormat.JPEG:
        return bytes(preview.data)
    packed = io.BytesIO()
    Image.fromarray(np.asarray(preview.data)).save(packed, "PNG", compress_level=1)
    return packed.getvalue()
