"""What the metadata of an image file say."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from indexes.errors import BadRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the metadata of an image file say, beside its date.

    Attributes:
        reader: number of the way in which they were read; a higher one reads more.
        camera: make and model.
        lens: its model.
        latitude: degrees, -90 to 90, north is positive.
        longitude: degrees, -180 to 180, east is positive.
        rating: stars, 0 to 5; -1: rejected.
        tags: keywords.

    Raises:
        BadRecord: a number out of range, a latitude without a longitude, or an empty text.
    """

    reader: int
    camera: str | None = None
    lens: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    rating: int | None = None
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.latitude is None) != (self.longitude is None):
            raise BadRecord("expected both of latitude and longitude, or neither")
        for name, low, high in (
            ("latitude", -90, 90),
            ("longitude", -180, 180),
            ("rating", -1, 5),
        ):
            value = getattr(self, name)
            if value is not None and not (isfinite(value) and low <= value <= high):
                raise BadRecord(f"{name} must be in [{low}, {high}], got {value}")
        for text in (self.camera, self.lens, *self.tags):
            if text is not None and not text.strip():
                raise BadRecord("camera, lens and tags must not be empty")
