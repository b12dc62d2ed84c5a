"""Patch features of DINOv2 ViT-B/14 (4M-21 reference: tok_dinov2@224)."""

from __future__ import annotations

from fourm.modalities.features import FEATURE_TOKENIZER, feature_codec
from fourm.modalities.modality import GenerationDefaults, Modality, OfficialTokenizer
from fourm.tokens import grid_tokens

DINOV2_FEATURES = Modality(
    name="dinov2_features",
    tokens=grid_tokens("tok_dinov2@224", 8192, side=16),
    codecs={"img": feature_codec()},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_DINOv2-B14_8k_224-448",
        "tokenizer/dinov2",
        "DINOv2 B/14 feature maps",
        {**FEATURE_TOKENIZER, "n_channels": 768, "patch_size": 14},
    ),
    generation=GenerationDefaults(steps=8, guidance=2.0),
    generation_given_image=GenerationDefaults(guidance=2.0),
    generation_order=20,
)
