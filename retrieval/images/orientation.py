"""The orientation of an image."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

_ORIENTATION = 0x0112
_HEIF_TURNS = (b"irot", b"imir")

TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> how the stored pixels are transposed to be upright."""

FIRST_SIDEWAYS = 5
"""From this orientation on, width and height change places."""


def read_orientation(loaded: Image.Image, content: bytes = b"") -> int:
    """EXIF orientation, 1 to 8, that is still to be applied to an image whose pixels are loaded.

    Decoders of some formats turn the image themselves and drop the tag (TIFF), or reset it (HEIF,
    whose own turn boxes count; where a file has none of them, its EXIF tag does).
    """
    try:
        orientation = loaded.getexif().get(_ORIENTATION)
    except Exception:  # the parser of Pillow raises struct.error, SyntaxError, KeyError ...
        return 1
    if loaded.format == "HEIF" and content and not any(box in content for box in _HEIF_TURNS):
        orientation = loaded.info.get("original_orientation")
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
