"""What decides the pixels of an image file, as a hash.

An edit of a rating, a comment or a date leaves it as it is; one of the pixels, the orientation or
the colour profile does not.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator

from PIL import Image

from retrieval.errors import ItemError
from retrieval.images.formats import open_image
from retrieval.images.info import ImageInfo, read_image_info

_JPEG_START, _PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_SCAN = 0xDA
# Of the application segments of a JPEG, these change its colours.
_JFIF, _ICC, _ADOBE = (0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe")
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"pHYs")
_WEBP_TEXTS = (b"EXIF", b"XMP ")
_WEBP_HAS_TEXTS, _WEBP_ANIMATED = 0x0C, 0x02
"""The bits of a WebP header that tell of EXIF and XMP chunks, and of an animation."""


def stored_hash(content: bytes) -> tuple[str, ImageInfo] | None:
    """The hash of a JPEG, PNG or WebP file, from its bytes alone, and its metadata.

    None: the file has another format, or its structure is damaged; see `decoded_hash`.
    """
    pieces = _pieces(content)
    if pieces is None:
        return None
    try:
        with open_image(content) as image:
            info = read_image_info(image)
    except (ItemError, OSError, SyntaxError, ValueError):
        return None
    digest = hashlib.sha256(b"stored %d " % (info.orientation or 1))
    try:
        for piece in pieces(content):
            digest.update(struct.pack("<Q", len(piece)))
            digest.update(piece)
    except (struct.error, IndexError):
        return None
    return digest.hexdigest(), info


def decoded_hash(image: Image.Image) -> str:
    """The hash of an image as it was decoded, for all other formats."""
    digest = hashlib.sha256(f"decoded {image.mode} {image.size} ".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _pieces(content: bytes) -> Callable[[bytes], Iterator[memoryview]] | None:
    if content.startswith(_JPEG_START):
        return _of_jpeg
    if content.startswith(_PNG_START):
        return _of_png
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _of_webp
    return None


def _of_jpeg(content: bytes) -> Iterator[memoryview]:
    """The tables and scans; application segments and comments only where they change colours."""
    view, start = memoryview(content), 2
    while True:
        if content[start] != 0xFF:
            raise IndexError("a marker was expected")
        marker = content[start + 1]
        if marker == 0xFF:  # a fill byte
            start += 1
            continue
        if marker == _SCAN:
            yield view[start:]
            return
        (length,) = struct.unpack(">H", content[start + 2 : start + 4])
        data = view[start + 4 : start + 2 + length]
        if not 0xE0 <= marker <= 0xEF and marker != 0xFE:
            yield view[start : start + 2 + length]
        elif any(marker == kind and data[: len(name)] == name for kind, name in (_ICC, _ADOBE)):
            yield data
        elif marker == _JFIF[0] and data[:5] == _JFIF[1]:
            yield data[:5]  # without the resolution
        start += 2 + length


def _of_png(content: bytes) -> Iterator[memoryview]:
    view, start = memoryview(content), len(_PNG_START)
    while start < len(content):
        length, name = struct.unpack(">I4s", content[start : start + 8])
        if name not in _PNG_TEXTS:
            yield view[start + 4 : start + 8 + length]
        start += length + 12


def _of_webp(content: bytes) -> Iterator[memoryview]:
    view, start = memoryview(content), 12
    while start < len(content):
        name, length = struct.unpack("<4sI", content[start : start + 8])
        data = view[start + 8 : start + 8 + length]
        if name == b"VP8X":
            # A still image gets this header with its first EXIF chunk; other chunks tell the rest.
            if data[0] & _WEBP_ANIMATED:
                yield memoryview(bytes([data[0] & ~_WEBP_HAS_TEXTS]) + bytes(data[1:]))
        elif name not in _WEBP_TEXTS:
            yield view[start : start + 8 + length]
        start += 8 + length + length % 2
