"""Surface normals (4M-21 reference: tok_normal@224)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.modalities.grids import grid_codec, scaled_bytes
from fourm.modalities.maps import (
    DIFFUSION_TOKENIZER,
    MAP_GENERATION,
    MAP_GIVEN_IMAGE,
    as_image_bytes,
)
from fourm.modalities.modality import Modality, OfficialTokenizer
from fourm.modalities.pixels import square_pixels
from fourm.tokens import grid_tokens


def square_normals(image: Any, size: int = 224) -> NDArray[np.uint8]:
    """Central square of a normal map, resized: uint8 (3, size, size).

    Red, green and blue are the x, y and z of the surface's direction, 0 .. 255 for -1 .. 1; what
    the tokenizer reads is `pixels.centred` of this.

    Raises:
        BadInput: not an image.
    """
    return square_pixels(image, size)


def flipped(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mirrored scene: (3, H, W) left to right, and x points the other way."""
    mirrored: NDArray[np.uint8] = pixels[:, :, ::-1].copy()
    mirrored[0] = 255 - mirrored[0]
    return mirrored


NORMALS = Modality(
    name="normals",
    tokens=grid_tokens("tok_normal@224", 8192),
    codecs={"img": grid_codec(square_normals, scaled_bytes, as_image_bytes, channels=3)},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_normal_8k_224-448",
        "tokenizer/normals",
        "surface normals",
        {**DIFFUSION_TOKENIZER, "n_channels": 3},
    ),
    generation=MAP_GENERATION,
    generation_given_image=MAP_GIVEN_IMAGE,
    generation_order=50,
)
