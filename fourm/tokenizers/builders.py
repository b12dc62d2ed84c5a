"""The twelve official tokenizers at their sizes, random weights (4M-21 reference, sec. 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fourm.errors import ConfigError

if TYPE_CHECKING:
    from fourm.tokenizers.vqvae import VQVAE

_GRID: Mapping[str, Any] = {
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
_DIFFUSION: Mapping[str, Any] = {
    **_GRID,
    "dec_type": "unet_patched",
    "beta_schedule": "linear",
    "prediction_type": "sample",
}
_FEATURES: Mapping[str, Any] = {**_GRID, "patch_proj": False}
_VECTOR: Mapping[str, Any] = {
    "enc_type": "BottleneckMLP/B_6-Wi_1024",
    "dec_type": "BottleneckMLP/B_6-Wi_1024",
    "patch_proj": False,
    "quant_type": "memcodes",
    "codebook_size": 8192,
    "num_codebooks": 16,
    "latent_dim": 1024,
}

OFFICIAL_CONFIGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "4M_tokenizers_rgb_16k_224-448": {**_DIFFUSION, "n_channels": 3, "codebook_size": 16384},
        "4M_tokenizers_depth_8k_224-448": {**_DIFFUSION, "n_channels": 1},
        "4M_tokenizers_normal_8k_224-448": {**_DIFFUSION, "n_channels": 3},
        "4M_tokenizers_edge_8k_224-512": {**_DIFFUSION, "n_channels": 1, "image_size": 512},
        "4M_tokenizers_semseg_4k_224-448": {
            **_GRID,
            "n_channels": 64,
            "n_labels": 134,
            "codebook_size": 4096,
        },
        "4M_tokenizers_CLIP-B16_8k_224-448": {**_FEATURES, "n_channels": 512},
        "4M_tokenizers_DINOv2-B14_8k_224-448": {**_FEATURES, "n_channels": 768, "patch_size": 14},
        "4M_tokenizers_ImageBind-H14_8k_224-448": {
            **_FEATURES,
            "n_channels": 1280,
            "patch_size": 14,
        },
        "4M_tokenizers_human-poses_1k_8": {
            **_VECTOR,
            "n_channels": 207,
            "codebook_size": 1024,
            "num_codebooks": 8,
        },
        "4M_tokenizers_sam-instance_1k_64": {
            **_GRID,
            "n_channels": 1,
            "image_size": 64,
            "codebook_size": 1024,
            "latent_dim": 1024,
            "out_conv": True,
        },
        "4M_tokenizers_DINOv2-B14-global_8k_16_224": {**_VECTOR, "n_channels": 768},
        "4M_tokenizers_ImageBind-H14-global_8k_16_224": {**_VECTOR, "n_channels": 1280},
    }
)
"""Repository -> the fields of its config that fix the shapes of its tensors."""

UNSURE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "4M_tokenizers_edge_8k_224-512": ("n_channels",),
        "4M_tokenizers_sam-instance_1k_64": ("latent_dim",),
    }
)
"""Fields that nothing published fixes: a file's own config is right about them."""


def official_tokenizer(name: str, config: Mapping[str, Any] | None = None) -> VQVAE:
    """An official tokenizer with random weights; build it under `torch.device("meta")` for shapes.

    Args:
        name: of its repository, without the owner.
        config: of a file, for the fields that are `UNSURE`.

    Raises:
        ConfigError: no such tokenizer.
    """
    from fourm.tokenizers.loading import build_tokenizer

    if name not in OFFICIAL_CONFIGS:
        raise ConfigError(f"{name!r} is none of {', '.join(OFFICIAL_CONFIGS)}")
    own = {field: config[field] for field in UNSURE.get(name, ()) if config and field in config}
    return build_tokenizer({**OFFICIAL_CONFIGS[name], **own})
