"""Edge images and line drawings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import BadInput
from fourm.modalities.pixels import square_pixels


def square_edges(image: Any, size: int = 224) -> NDArray[np.uint8]:
    """Central square of an edge image or a line drawing, resized: uint8 (1, size, size).

    Lines are light on dark, 255 on 0; what the tokenizer reads is `pixels.centred` of this.

    Args:
        image: a PIL image, or a uint8 array (H, W) or (H, W, 3).
        size: side of the result, in pixels.

    Raises:
        BadInput: not an image.
    """
    if isinstance(image, np.ndarray) and image.ndim == 2:
        if image.dtype != np.uint8 or image.size == 0:
            raise BadInput(f"an edge image must be uint8, got {image.dtype} {image.shape}")
        image = Image.fromarray(image)
    pixels = square_pixels(image, size)
    red, green, blue = pixels.astype(np.uint16)
    # Edge images are grey: the mean only matters for coloured drawings.
    grey: NDArray[np.uint8] = ((red + green + blue) // 3).astype(np.uint8)
    return grey[None]
