"""What image-like modalities have in common: their official tokenizers, defaults, and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fourm.modalities.modality import GenerationDefaults
from fourm.modalities.pixels import uncentred

if TYPE_CHECKING:
    from torch import Tensor

GRID_TOKENIZER = {
    "enc_type": "vit_b_enc",
    "dec_type": "vit_b_dec",
    "post_mlp": True,
    "patch_size": 16,
    "image_size": 448,
    "quant_type": "lucid",
    "codebook_size": 8192,
    "latent_dim": 32,
    "norm_codes": True,
}
"""What the configs of the official tokenizers of grids have in common."""

DIFFUSION_TOKENIZER = {
    **GRID_TOKENIZER,
    "dec_type": "unet_patched",
    "beta_schedule": "linear",
    "prediction_type": "sample",
}
"""The same, of those that decode by diffusion."""

MAP_GENERATION = GenerationDefaults(
    steps=8, temperature=3.0, temperature_schedule="onex:0.5:0.5", guidance=2.0
)
"""Of a map without an image: many steps that begin with much randomness."""

MAP_GIVEN_IMAGE = GenerationDefaults(guidance=2.0)
"""Of a map where an image is given, which nearly determines it: one step, little randomness."""


def as_image_bytes(decoded: Tensor) -> Any:
    """Decoded (3, H, W), -1 .. 1 -> uint8 (H, W, 3)."""
    return uncentred(decoded).permute(1, 2, 0).contiguous().numpy()


def as_grey_bytes(decoded: Tensor) -> Any:
    """Decoded (C, H, W), -1 .. 1 -> uint8 (H, W), the mean of the channels."""
    return uncentred(decoded.mean(dim=0)).numpy()
