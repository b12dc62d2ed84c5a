"""The official 4M-21 models and their tokenizers, by name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fourm.hub.manifest import SpaceEntry

OWNER = "EPFL-VILAB"

MODELS: Mapping[str, str] = {
    "4M-21_B": "4M-21 B, 198 M parameters",
    "4M-21_L": "4M-21 L, 705 M parameters",
    "4M-21_XL": "4M-21 XL, 2.8 B parameters",
}

TOKENIZERS: Mapping[str, str] = {
    "tok_semseg@224": "4M_tokenizers_semseg_4k_224-448",
    "tok_rgb@224": "4M_tokenizers_rgb_16k_224-448",
    "tok_depth@224": "4M_tokenizers_depth_8k_224-448",
    "tok_normal@224": "4M_tokenizers_normal_8k_224-448",
    "tok_canny_edge@224": "4M_tokenizers_edge_8k_224-512",
    "tok_sam_edge@224": "4M_tokenizers_edge_8k_224-512",
    "tok_clip@224": "4M_tokenizers_CLIP-B16_8k_224-448",
    "tok_dinov2@224": "4M_tokenizers_DINOv2-B14_8k_224-448",
    "tok_imagebind@224": "4M_tokenizers_ImageBind-H14_8k_224-448",
    "human_poses": "4M_tokenizers_human-poses_1k_8",
    "sam_instance": "4M_tokenizers_sam-instance_1k_64",
    "tok_dinov2_global": "4M_tokenizers_DINOv2-B14-global_8k_16_224",
    "tok_imagebind_global": "4M_tokenizers_ImageBind-H14-global_8k_16_224",
}

SHORT_NAMES: Mapping[str, str] = {
    "4M_tokenizers_rgb_16k_224-448": "tokenizer/rgb",
    "4M_tokenizers_depth_8k_224-448": "tokenizer/depth",
    "4M_tokenizers_normal_8k_224-448": "tokenizer/normals",
    "4M_tokenizers_edge_8k_224-512": "tokenizer/edges",
    "4M_tokenizers_semseg_4k_224-448": "tokenizer/semseg",
    "4M_tokenizers_CLIP-B16_8k_224-448": "tokenizer/clip",
    "4M_tokenizers_DINOv2-B14_8k_224-448": "tokenizer/dinov2",
    "4M_tokenizers_ImageBind-H14_8k_224-448": "tokenizer/imagebind",
    "4M_tokenizers_human-poses_1k_8": "tokenizer/poses",
    "4M_tokenizers_sam-instance_1k_64": "tokenizer/sam",
    "4M_tokenizers_DINOv2-B14-global_8k_16_224": "tokenizer/dinov2-global",
    "4M_tokenizers_ImageBind-H14-global_8k_16_224": "tokenizer/imagebind-global",
}
"""Repository of a tokenizer -> what `fourm models` calls it."""

TEXT = "tokenizer/text"
"""The text tokenizer, which is one file of the 4M code repository."""

COUNTED = ("image",)
"""Kinds whose readers count for the fingerprint of a space: galleries are photos first of all.

Tokenizers of the other kinds need not be here when an index is built, and may come later.
"""

_drawn = partial(SpaceEntry, temperature=0.1, top_p=0.8)
"""Several seeds draw as the retrieval notebook of 4M-21 does (4M-21 reference, sec. 4.3)."""

SPACES: Mapping[str, SpaceEntry] = {
    "dinov2": _drawn("tok_dinov2_global", title="DINOv2 ViT-B/14, global", teacher="dinov2-b14"),
    "imagebind": _drawn(
        "tok_imagebind_global",
        title="ImageBind ViT-H/14: CLS of its vision trunk (1280), not the joint space of its head",
    ),
    "clip": _drawn(
        "tok_clip@224",
        title="CLIP ViT-B/16: mean of its projected patch tokens",
        pool="mean",
        teacher="clip-b16",
    ),
}

WORDS = "text_tokenizer_4m_wordpiece_30k.json"

WRITTEN = ("caption", "det", "metadata", "color_palette", "human_poses", "sam_instance")
"""Modalities that are made of its word pieces."""


def official_name(source: str) -> str | None:
    """`4M-21_B` for `4M-21_B` and `EPFL-VILAB/4M-21_B`; None if it is no official model."""
    name = source.removeprefix(f"{OWNER}/")
    return name if name in MODELS else None


def is_tokenizer(source: str) -> bool:
    """Whether a text is the name of an official tokenizer, short or that of its repository."""
    name = source.removeprefix(f"{OWNER}/")
    return name in SHORT_NAMES or name in SHORT_NAMES.values() or name == TEXT
