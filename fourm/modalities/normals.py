"""Surface normals (4M-21 reference: tok_normal@224 as a query)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.modalities.pixels import square_pixels


def square_normals(image: Any, size: int = 224) -> NDArray[np.uint8]:
    """Central square of a normal map, resized: uint8 (3, size, size).

    Red, green and blue are the x, y and z of the surface's direction, 0 .. 255 for -1 .. 1; what
    the tokenizer reads is `pixels.centred` of this.

    Raises:
        BadInput: not a picture.
    """
    return square_pixels(image, size)


def flipped(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mirrored scene: (3, H, W) left to right, and x points the other way."""
    mirrored: NDArray[np.uint8] = pixels[:, :, ::-1].copy()
    mirrored[0] = 255 - mirrored[0]
    return mirrored
