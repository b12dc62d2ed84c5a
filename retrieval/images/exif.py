"""What EXIF data say of a photo."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image

from retrieval.images.keywords import clean

_ORIENTATION, _DATE_TIME = 0x0112, 0x0132
_MAKE, _MODEL = 0x010F, 0x0110
_RATING, _XP_KEYWORDS = 0x4746, 0x9C9E
_EXIF_FOLDER, _GPS_FOLDER = 0x8769, 0x8825
_DATE_TIME_ORIGINAL, _LENS_MODEL = 0x9003, 0xA434
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4

_VALUE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
"""Size of a value of each type of EXIF."""


@dataclass(frozen=True)
class ExifData:
    """What was found; None where there is nothing, or nonsense.

    Attributes:
        orientation: 1 to 8.
        taken: by the clock of the camera, without a time zone.
        camera: make and model.
        lens: its model.
        place: latitude and longitude in degrees.
        rating: 0 to 5.
        keywords: those that Windows writes.
    """

    orientation: int | None = None
    taken: datetime | None = None
    camera: str | None = None
    lens: str | None = None
    place: tuple[float, float] | None = None
    rating: int | None = None
    keywords: tuple[str, ...] = ()


def read_exif(image: Image.Image) -> ExifData:
    """Of an opened image, whose pixels need not be loaded. Damaged data are read as missing."""
    blob = image.info.get("exif")
    if isinstance(blob, bytes) and _claims_too_much(blob):
        return ExifData()
    try:
        exif = image.getexif()
        main: dict[int, Any] = dict(exif)
        details, place = exif.get_ifd(_EXIF_FOLDER), exif.get_ifd(_GPS_FOLDER)
    except Exception:  # the parser of Pillow raises struct.error, SyntaxError, KeyError ...
        return ExifData()
    orientation, rating = main.get(_ORIENTATION), main.get(_RATING)
    return ExifData(
        orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else None,
        _date(details.get(_DATE_TIME_ORIGINAL) or main.get(_DATE_TIME)),
        _camera(clean(main.get(_MAKE)), clean(main.get(_MODEL))),
        clean(details.get(_LENS_MODEL)) or None,
        _place(place),
        rating if isinstance(rating, int) and 0 <= rating <= 5 else None,
        _windows_keywords(main.get(_XP_KEYWORDS)),
    )


def _date(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return datetime.strptime(value.strip()[:19].replace("-", ":"), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _camera(make: str, model: str) -> str | None:
    """Make and model; many models begin with their make, in full or with its first word."""
    named = bool(make) and model.lower().startswith(make.lower().split()[0])
    return " ".join(filter(None, (None if named else make, model))) or None


def _place(tags: dict[int, Any]) -> tuple[float, float] | None:
    latitude = _degrees(tags.get(_LATITUDE), tags.get(_LATITUDE_REF), "S")
    longitude = _degrees(tags.get(_LONGITUDE), tags.get(_LONGITUDE_REF), "W")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    # What cameras write that do not know where they are.
    return None if latitude == longitude == 0 else (latitude, longitude)


def _degrees(value: Any, side: Any, negative: str) -> float | None:
    """Degrees, minutes and seconds as degrees."""
    try:
        parts = [float(part) for part in value]
        degrees: float = sum(part / 60**power for power, part in enumerate(parts[:3]))
    except (TypeError, ValueError, ArithmeticError):
        return None
    if len(parts) not in (2, 3) or not math.isfinite(degrees) or min(parts) < 0:
        return None
    letter = side.decode("ascii", "replace") if isinstance(side, bytes) else str(side or "")
    return -degrees if letter.strip("\0 ").upper() == negative else degrees


def _windows_keywords(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        value = bytes(part for part in value if isinstance(part, int) and 0 <= part < 256)
    if not isinstance(value, bytes):
        return ()
    return tuple(value.decode("utf-16-le", "replace").split("\0")[0].split(";"))


def _claims_too_much(blob: bytes) -> bool:
    """Whether the values that are listed are larger than the data.

    Pillow copies each of them, however many there are of the same bytes.
    """
    data = blob.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 8:
        return False
    claimed, open_folders = 0, [struct.unpack_from(order + "L", data, 4)[0]]
    for start in open_folders:
        if start + 2 > len(data):
            continue
        (count,) = struct.unpack_from(order + "H", data, start)
        for entry in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
            tag, kind, number, value = struct.unpack_from(order + "HHLL", data, entry)
            claimed += min(number * (_VALUE_BYTES[kind] if kind < 14 else 1), len(data))
            if tag in (_EXIF_FOLDER, _GPS_FOLDER) and start == open_folders[0]:
                open_folders.append(value)
        if claimed > 4 * len(data) + (1 << 16) or len(open_folders) > 8:
            return True
    return False
