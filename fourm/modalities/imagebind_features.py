"""Patch features of ImageBind ViT-H/14 (4M-21 reference: tok_imagebind@224)."""

from __future__ import annotations

from fourm.modalities.features import FEATURE_TOKENIZER, feature_codec
from fourm.modalities.modality import GenerationDefaults, Modality, OfficialTokenizer
from fourm.tokens import grid_tokens

IMAGEBIND_FEATURES = Modality(
    name="imagebind_features",
    tokens=grid_tokens("tok_imagebind@224", 8192, side=16),
    codecs={"img": feature_codec()},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_ImageBind-H14_8k_224-448",
        "tokenizer/imagebind",
        "ImageBind H/14 feature maps",
        {**FEATURE_TOKENIZER, "n_channels": 1280, "patch_size": 14},
    ),
    generation=GenerationDefaults(steps=8, guidance=2.0),
    generation_given_image=GenerationDefaults(guidance=2.0),
    generation_order=30,
)
