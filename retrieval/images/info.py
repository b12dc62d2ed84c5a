"""What an image file says of itself: size, date, camera, place, keywords."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from retrieval.images.exif import read_exif
from retrieval.images.keywords import distinct, read_iptc, read_xmp

DETAILS_READER = 1
"""Grows when more is read than before: images in an index are then read again for it."""


@dataclass(frozen=True)
class ImageInfo:
    """The metadata of an image file.

    Attributes:
        width: pixels as shown, after the EXIF orientation.
        height: pixels as shown.
        orientation: 1 to 8 as in EXIF; None if the file has none.
        taken: EXIF date by the clock of the camera, without a time zone; None if there is none.
        frames: number of frames of an animation or pages of a document; None: not counted.
        camera: make and model, lens: its model; None if unknown.
        place: latitude and longitude in degrees; None if unknown.
        rating: 0 to 5 stars, -1: rejected; None if there is none.
        tags: keywords of XMP, IPTC and Windows, at most 200.
    """

    width: int
    height: int
    orientation: int | None = None
    taken: datetime | None = None
    frames: int | None = None
    camera: str | None = None
    lens: str | None = None
    place: tuple[float, float] | None = None
    rating: int | None = None
    tags: tuple[str, ...] = ()


def read_image_info(image: Image.Image) -> ImageInfo:
    """Of an opened image, whose pixels need not be loaded. Damaged metadata are read as missing."""
    exif, (subjects, stars) = read_exif(image), read_xmp(image)
    width, height = image.size
    if exif.orientation is not None and exif.orientation >= 5:
        width, height = height, width
    return ImageInfo(
        width,
        height,
        exif.orientation,
        exif.taken,
        camera=exif.camera,
        lens=exif.lens,
        place=exif.place,
        rating=exif.rating if stars is None else stars,
        tags=distinct([*subjects, *read_iptc(image), *exif.keywords]),
    )
