"""How many pixels may be unpacked at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import psutil

_BYTES_PER_PIXEL = 16
"""RGBA, its RGB copy, and what decoders and conversions hold beside them."""

_SHARE_OF_MEMORY = 0.25
_LEAST, _MOST = 50_000_000, 1_000_000_000


@dataclass(frozen=True)
class DecodingOptions:
    """What a user may choose about decoding.

    Attributes:
        max_pixels: largest number of pixels that is unpacked for one image; None: as much as a
            quarter of the free memory holds, 50 million at least and a billion at most.
        allow_truncated: read truncated files as far as they go.
    """

    max_pixels: int | None = None
    allow_truncated: bool = False

    @property
    def pixels(self) -> int:
        """The limit, in pixels."""
        return default_max_pixels() if self.max_pixels is None else self.max_pixels


def default_max_pixels() -> int:
    """The limit that follows from the memory that is free now."""
    free = psutil.virtual_memory().available
    return int(min(max(free * _SHARE_OF_MEMORY / _BYTES_PER_PIXEL, _LEAST), _MOST))


_current: ContextVar[DecodingOptions] = ContextVar("decoding options")


def current_options() -> DecodingOptions:
    """The options that hold in this thread; see `decoding_options`."""
    return _current.get(DecodingOptions())


@contextmanager
def decoding_options(options: DecodingOptions) -> Iterator[None]:
    """Let these options hold for all that is decoded within, in this thread."""
    token = _current.set(options)
    try:
        yield
    finally:
        _current.reset(token)
