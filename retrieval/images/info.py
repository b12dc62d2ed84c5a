"""Size, date and orientation of an image file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PIL import Image

_ORIENTATION = 0x0112
_DATE_TIME = 0x0132
_EXIF_FOLDER = 0x8769
_DATE_TIME_ORIGINAL = 0x9003


@dataclass(frozen=True)
class ImageInfo:
    """The metadata of an image file.

    Attributes:
        width: pixels as shown, after the EXIF orientation.
        height: pixels as shown.
        orientation: 1 to 8 as in EXIF; None if the file has none.
        taken: EXIF date by the clock of the camera, without a time zone; None if there is none.
        frames: number of frames of an animation or pages of a document; None: not counted.
    """

    width: int
    height: int
    orientation: int | None = None
    taken: datetime | None = None
    frames: int | None = None


def read_image_info(image: Image.Image) -> ImageInfo:
    """Size, date and orientation of an opened image, whose pixels need not be loaded.

    Damaged EXIF data is read as missing.
    """
    orientation, taken = _read_exif(image)
    width, height = image.size
    if orientation is not None and orientation >= 5:
        width, height = height, width
    return ImageInfo(width, height, orientation, taken)


def _read_exif(image: Image.Image) -> tuple[int | None, datetime | None]:
    try:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION)
        date = exif.get_ifd(_EXIF_FOLDER).get(_DATE_TIME_ORIGINAL) or exif.get(_DATE_TIME)
    except Exception:  # the parser of Pillow raises struct.error, SyntaxError, KeyError ...
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
