"""What an index stores of the metadata of an image file."""

from __future__ import annotations

from indexes import Details
from retrieval.images import ImageInfo
from retrieval.images.info import DETAILS_READER


def details_of(info: ImageInfo) -> Details:
    """The details of an image file that was read."""
    latitude, longitude = info.place or (None, None)
    return Details(
        reader=DETAILS_READER,
        camera=info.camera,
        lens=info.lens,
        latitude=latitude,
        longitude=longitude,
        rating=info.rating,
        tags=info.tags,
    )
