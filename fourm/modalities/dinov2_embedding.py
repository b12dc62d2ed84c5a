"""The global embedding of DINOv2 ViT-B/14 (4M-21 reference: tok_dinov2_global)."""

from __future__ import annotations

from fourm.modalities.features import EMBEDDING_TOKENIZER, feature_codec
from fourm.modalities.modality import (
    GenerationDefaults,
    Modality,
    OfficialSpace,
    OfficialTokenizer,
)
from fourm.tokens import vector_tokens

DINOV2_EMBEDDING = Modality(
    name="dinov2_embedding",
    tokens=vector_tokens("tok_dinov2_global"),
    codecs={"img": feature_codec(vector=True)},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_DINOv2-B14-global_8k_16_224",
        "tokenizer/dinov2-global",
        "DINOv2 B/14 embeddings; the space dinov2",
        {**EMBEDDING_TOKENIZER, "n_channels": 768},
    ),
    space=OfficialSpace("dinov2", "DINOv2 ViT-B/14, global", teacher="dinov2-b14"),
    generation=GenerationDefaults(temperature=0.1),
    generation_order=160,
    is_embedding=True,
)
