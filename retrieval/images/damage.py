"""Truncated files: how much is missing, and what can still be read."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageFile

_JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_FILLERS = (b"\x00", b"\x5a")
_SMALL = (448, 448)
_loading = threading.Lock()


def is_jpeg(content: bytes) -> bool:
    """Whether the bytes begin as a JPEG file."""
    return content.startswith(_JPEG_START)


def missing_share(content: bytes) -> float | None:
    """Share of the pixels that a truncated file no longer holds, in [0, 1].

    0: only an end mark is missing. None: it cannot be told for this format.
    """
    if is_jpeg(content):
        return _missing_of_jpeg(content)
    return _missing_of_png(content) if content.startswith(_PNG_START) else None


def _missing_of_jpeg(content: bytes) -> float | None:
    # Pixels that the file determines do not depend on what is appended to it.
    try:
        first, second = (_small(content + filler * len(content) + JPEG_END) for filler in _FILLERS)
    except Exception:  # decoders raise OSError, SyntaxError, struct.error ...
        return None
    return float((first != second).any(axis=-1).mean())


def _small(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        image.draft(None, _SMALL)
        return np.array(image.convert("RGB"))


def _missing_of_png(content: bytes) -> float | None:
    try:
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    except (struct.error, KeyError):
        return None
    if interlaced:
        return None
    expected = height * (1 + (width * channels * depth + 7) // 8)
    unpacked, inflate = 0, zlib.decompressobj()
    try:
        for name, start, end in _png_chunks(content):
            data = content[start + 8 : end - 4] if name == b"IDAT" else b""
            while data and unpacked < expected:
                unpacked += len(inflate.decompress(data, 1 << 20))
                data = inflate.unconsumed_tail
    except zlib.error:
        return None
    return max(0.0, 1 - unpacked / expected) if expected else None


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each chunk: its data lies from start + 8 to end - 4."""
    start = len(_PNG_START)
    while start + 8 <= len(content):
        (length,) = struct.unpack(">I", content[start : start + 4])
        end = start + length + 12
        yield content[start + 4 : start + 8], start, end
        start = end


def without_long_texts(content: bytes, longest: int = 1 << 20) -> bytes:
    """A PNG file without its texts of more than `longest` bytes; other files as they are.

    Pillow refuses a file with such a text, and the pixels do not depend on it.
    """
    if not content.startswith(_PNG_START):
        return content
    long = [
        (start, end)
        for name, start, end in _png_chunks(content)
        if name in _TEXTS and _text_length(content[start:end]) > longest
    ]
    if not long:
        return content
    kept, at = [], 0
    for start, end in long:
        kept.append(content[at:start])
        at = end
    return b"".join([*kept, content[at:]])


def _text_length(chunk: bytes) -> int:
    name, data = chunk[4:8], chunk[8:-4]
    _, _, rest = data.partition(b"\0")
    if name == b"tEXt" or (name == b"iTXt" and rest[:1] == b"\0"):
        return len(data)
    packed = rest[1:] if name == b"zTXt" else rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    inflate = zlib.decompressobj()
    try:
        unpacked = len(inflate.decompress(packed, 1 << 21))
    except zlib.error:
        return len(data)
    return unpacked


@contextmanager
def truncated_allowed() -> Iterator[None]:
    """Let Pillow load what there is of a truncated file; the rest is black or grey.

    The switch belongs to the process: one thread at a time.
    """
    with _loading:
        before = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before
