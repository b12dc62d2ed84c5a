"""What a picture file says about itself: size in pixels, date, orientation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PIL import Image

_ORIENTATION = 0x0112
_DATE_TIME = 0x0132
_EXIF_FOLDER = 0x8769
_DATE_TIME_ORIGINAL = 0x9003

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Facts:
    """Facts of one picture.

    `width` and `height` are in pixels, as the picture is shown (after its EXIF orientation).
    `orientation` is EXIF's 1 to 8, None where the file has none. `taken` is the EXIF date
    by the camera's clock, without a time zone, None where there is none.
    """

    width: int
    height: int
    orientation: int | None = None
    taken: datetime | None = None

    @property
    def turn(self) -> Image.Transpose | None:
        """The transposition that shows the stored pixels the right way up."""
        return _TURNS.get(self.orientation or 1)


def read_facts(image: Image.Image) -> Facts:
    """Facts of an opened picture; its pixels need not be loaded.

    Damaged EXIF data never fails a picture: the fact is missing then.
    """
    orientation, taken = _read_exif(image)
    width, height = image.size
    if orientation is not None and orientation >= 5:
        width, height = height, width
    return Facts(width, height, orientation, taken)


def _read_exif(image: Image.Image) -> tuple[int | None, datetime | None]:
    try:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION)
        date = exif.get_ifd(_EXIF_FOLDER).get(_DATE_TIME_ORIGINAL) or exif.get(_DATE_TIME)
    except Exception:  # Pillow raises whatever its parser stumbles over: struct, Syntax, Key ...
        return None, None
    known = isinstance(orientation, int) and 1 <= orientation <= 8
    return orientation if known else None, _date(date)


def _date(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.strptime(value.strip()[:19].replace("-", ":"), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
