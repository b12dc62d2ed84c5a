"""Depth maps (4M-21 reference: tok_depth@224)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.checks import as_array
from fourm.errors import BadInput
from fourm.modalities.grids import grid_codec
from fourm.modalities.maps import DIFFUSION_TOKENIZER, MAP_GENERATION, MAP_GIVEN_IMAGE
from fourm.modalities.modality import Modality, OfficialTokenizer
from fourm.modalities.pixels import square_box
from fourm.tokens import grid_tokens

if TYPE_CHECKING:
    from torch import Tensor

    from fourm.tokenizers.config import TokenizerConfig

_LOWEST, _HIGHEST = 0.1, 0.9
_SMALLEST_VARIANCE = 1e-6


def square_depth(depth: Any, size: int = 224, invert: bool = False) -> NDArray[np.float32]:
    """Central square of a depth map, resized (bicubic, antialiased) and standardised.

    Only differences count, in units of the map's own spread, so that any scale will do. Small
    values are near; `invert` a map in which large ones are.

    Args:
        depth: (H, W) of any integer or float type.
        size: side of the result, in pixels.
        invert: swap near and far.

    Returns:
        (1, size, size) float32.

    Raises:
        BadInput: not a two-dimensional array of numbers, no pixels, or NaN or infinity in it.
    """
    array = as_array(depth, "a depth map")
    if array.ndim != 2 or array.dtype.kind not in "uif":
        raise BadInput(
            f"a depth map must be an array of numbers (H, W), got {array.dtype} {array.shape}"
        )
    if array.size == 0:
        raise BadInput("the depth map has no pixels")
    if array.dtype.kind in "ui" and array.dtype.itemsize > 2:
        array = array - array.min().astype(np.float64)  # float32 tells fewer integers apart
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32: infinite, refused
        values = array.astype(np.float32)
    if not np.isfinite(values).all():
        raise BadInput("the depth map holds NaN or infinity")
    if array.dtype in (np.uint8, np.uint16):
        values /= float(np.iinfo(array.dtype).max)
    left, top, right, bottom = square_box(array.shape[1], array.shape[0])
    values = values[top:bottom, left:right]
    if values.shape != (size, size):
        image = Image.fromarray(np.ascontiguousarray(values))
        values = np.array(image.resize((size, size), Image.Resampling.BICUBIC))
    return standardised(-values if invert else values)[None]


def standardised(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Depth of mean 0 and deviation 1, judged without the lowest and highest tenth of the values.

    Args:
        depth: float32 of any shape.

    Returns:
        The same shape. A map without any differences becomes all 0.
    """
    ordered = np.sort(depth, axis=None)
    kept = ordered[int(_LOWEST * ordered.size) : int(_HIGHEST * ordered.size)].astype(np.float64)
    if kept.size < 2:
        return np.zeros_like(depth)
    # In double precision: the square of a large depth is beyond single precision.
    deviation = np.sqrt(kept.var(ddof=1) + _SMALLEST_VARIANCE)
    result: NDArray[np.float32] = ((depth - kept.mean()) / deviation).astype(np.float32)
    return result


def _unchanged(stacked: Tensor, config: TokenizerConfig) -> Tensor:
    return stacked


def _depth_values(decoded: Tensor) -> Any:
    """Decoded (1, H, W), standardised -> float32 (H, W)."""
    return decoded[0].numpy()


DEPTH = Modality(
    name="depth",
    tokens=grid_tokens("tok_depth@224", 8192),
    codecs={"img": grid_codec(square_depth, _unchanged, _depth_values, channels=1)},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_depth_8k_224-448",
        "tokenizer/depth",
        "depth maps",
        {**DIFFUSION_TOKENIZER, "n_channels": 1},
    ),
    generation=MAP_GENERATION,
    generation_given_image=MAP_GIVEN_IMAGE,
    generation_order=40,
)
