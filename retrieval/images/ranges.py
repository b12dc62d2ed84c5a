"""Greys of more than 8 bits: which value is black, and which is white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_MIN_SAMPLE, _MAX_SAMPLE, _S_MIN_SAMPLE, _S_MAX_SAMPLE = 280, 281, 340, 341
_GDAL_NODATA = 42113
_BITS = (8, 10, 12, 14, 16)
_CUT = 0.5
_ABSURD = 1e30


def is_wide(image: Image.Image) -> bool:
    """Whether the image is grey with more than 8 bits a pixel."""
    return image.mode == "F" or image.mode.startswith("I")


def grey8(image: Image.Image) -> Image.Image:
    """A grey image of more than 8 bits as mode L, stretched to the range that it uses.

    The range is that of its TIFF tags (Min/MaxSampleValue, SMin/SMaxSampleValue) where it has them.
    Otherwise whole numbers from 0 to 65535 count as 8, 10, 12, 14 or 16 bits, the fewest that hold
    the largest one; floats within 0 and 1 as such, floats within 0 and 255 as bytes. Anything else
    is stretched between its percentiles 0.5 and 99.5. No-data values (GDAL's tag, NaN, infinity,
    beyond 1e30) are black.
    """
    values = np.asarray(image)
    numbers = values.astype(np.float64)
    valid = np.isfinite(numbers) & (np.abs(numbers) < _ABSURD)
    nodata = _nodata(image)
    if nodata is not None:
        valid &= numbers != nodata
    if not valid.any():
        return Image.new("L", image.size)
    low, high = _tagged(image) or _used(numbers[valid], whole=values.dtype.kind != "f")
    scaled = (np.where(valid, numbers, low) - low) * (255 / (high - low))
    return Image.fromarray(np.rint(np.clip(scaled, 0, 255)).astype(np.uint8))


def _used(numbers: NDArray[np.float64], *, whole: bool) -> tuple[float, float]:
    least, most = float(numbers.min()), float(numbers.max())
    if whole and least >= 0 and most < 1 << 16:
        return 0.0, float(next((1 << bits) - 1 for bits in _BITS if most < 1 << bits))
    if not whole and least >= 0 and most <= 255:
        return (0.0, 1.0) if most <= 1 else (0.0, 255.0)
    low, high = (float(edge) for edge in np.percentile(numbers, (_CUT, 100 - _CUT)))
    if not high > low:
        low, high = least, most
    return (low, high) if high > low else (low - 1, low + 1)


def _tagged(image: Image.Image) -> tuple[float, float] | None:
    tags: Any = getattr(image, "tag_v2", None)
    if tags is None:
        return None
    for low_tag, high_tag in ((_S_MIN_SAMPLE, _S_MAX_SAMPLE), (_MIN_SAMPLE, _MAX_SAMPLE)):
        low, high = _number(tags.get(low_tag)), _number(tags.get(high_tag))
        if low is not None and high is not None and low < high:
            return low, high
    return None


def _nodata(image: Image.Image) -> float | None:
    tags: Any = getattr(image, "tag_v2", None)
    return None if tags is None else _number(tags.get(_GDAL_NODATA))


def _number(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
