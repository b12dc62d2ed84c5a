"""Metadata that can be computed from a photo alone (4M-21 reference, sec. 5 and 11)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.modalities.pixels import as_image

COMPUTABLE = (
    "original_width",
    "original_height",
    "colorfulness",
    "brightness",
    "contrast",
    "saturation",
    "entropy",
)
"""Keys of `computable_metadata`, in the order of their ids."""


def computable_metadata(image: Any) -> dict[str, float]:
    """The metadata of a photo that need no other network, as `metadata_text` takes them.

    All are of the whole photo as it comes, not only of the central square that a model sees.

    Args:
        image: a PIL image of any mode, or uint8 (H, W, 3).

    Returns:
        Key -> value, keys as `COMPUTABLE`. `original_width`, `original_height`: pixels.
        `colorfulness`: 0 (grey) to about 150, Hasler & Suesstrunk 2003, sqrt(s_rg^2 + s_yb^2) +
        0.3 sqrt(m_rg^2 + m_yb^2) with means m and deviations s of rg = R - G and yb = (R + G)/2 - B
        over bytes. `brightness`, `contrast`: mean and standard deviation of the grey values
        (ITU-R 601 luma), 0..255 and 0..127.5. `saturation`: mean of S of HSV, 0..255. `entropy`:
        Shannon entropy of the grey values, 0..8 bits.

    Raises:
        BadInput: not an image, or one without pixels.
    """
    photo = as_image(image)
    grey = np.array(photo.convert("L").histogram(), np.float64)
    saturation = np.array(photo.convert("HSV").getchannel("S").histogram(), np.float64)
    brightness, contrast = _moments(grey)
    return {
        "original_width": float(photo.width),
        "original_height": float(photo.height),
        "colorfulness": _colorfulness(np.asarray(photo)),
        "brightness": brightness,
        "contrast": contrast,
        "saturation": _moments(saturation)[0],
        "entropy": _entropy(grey),
    }


def _moments(histogram: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation of the bytes that a histogram (256,) counts."""
    shares, values = histogram / histogram.sum(), np.arange(len(histogram))
    mean = float(shares @ values)
    return mean, float(np.sqrt(shares @ (values - mean) ** 2))


def _entropy(histogram: NDArray[np.float64]) -> float:
    shares = histogram[histogram > 0] / histogram.sum()
    return abs(float(shares @ np.log2(shares)))  # abs: no -0.0


def _colorfulness(pixels: NDArray[np.uint8]) -> float:
    red, green, blue = (pixels[..., channel].astype(np.int32) for channel in range(3))
    means, variances = [], []
    # Whole numbers (twice yb) sum up exactly, whatever the size of the photo.
    for values, scale in ((red - green, 1), (red + green - 2 * blue, 2)):
        mean = float(values.mean())
        means.append(mean / scale)
        square = float(np.square(values).sum(dtype=np.int64)) / values.size
        variances.append(max(square - mean**2, 0.0) / scale**2)
    return float(np.sqrt(sum(variances)) + 0.3 * np.hypot(means[0], means[1]))
