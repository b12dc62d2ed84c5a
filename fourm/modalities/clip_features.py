"""Patch features of CLIP ViT-B/16 (4M-21 reference: tok_clip@224)."""

from __future__ import annotations

from fourm.modalities.features import FEATURE_TOKENIZER, feature_codec
from fourm.modalities.modality import GenerationDefaults, Modality, OfficialSpace, OfficialTokenizer
from fourm.tokens import grid_tokens

CLIP_FEATURES = Modality(
    name="clip_features",
    tokens=grid_tokens("tok_clip@224", 8192),
    codecs={"img": feature_codec()},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_CLIP-B16_8k_224-448",
        "tokenizer/clip",
        "CLIP B/16 feature maps; the space clip",
        {**FEATURE_TOKENIZER, "n_channels": 512},
    ),
    space=OfficialSpace(
        "clip",
        "CLIP ViT-B/16: mean of its projected patch tokens",
        teacher="clip-b16",
        pool="mean",
    ),
    generation=GenerationDefaults(
        steps=50, temperature=5.0, temperature_schedule="onex:0.5:0.5", guidance=3.0
    ),
    generation_given_image=GenerationDefaults(guidance=2.0),
    generation_order=10,
)
