"""The global embedding of ImageBind ViT-H/14 (4M-21 reference: tok_imagebind_global)."""

from __future__ import annotations

from fourm.modalities.features import EMBEDDING_TOKENIZER, feature_codec
from fourm.modalities.modality import (
    GenerationDefaults,
    Modality,
    OfficialSpace,
    OfficialTokenizer,
)
from fourm.tokens import vector_tokens

IMAGEBIND_EMBEDDING = Modality(
    name="imagebind_embedding",
    tokens=vector_tokens("tok_imagebind_global"),
    codecs={
        "img": feature_codec(
            vector=True,
            note=": the CLS token of ImageBind's vision backbone, and not the embedding of 1024 "
            "numbers in its joint space, which its head makes of it",
        )
    },
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_ImageBind-H14-global_8k_16_224",
        "tokenizer/imagebind-global",
        "ImageBind H/14 embeddings before its head; the space imagebind",
        {**EMBEDDING_TOKENIZER, "n_channels": 1280},
    ),
    space=OfficialSpace(
        "imagebind",
        "ImageBind ViT-H/14: CLS of its vision trunk (1280), not the joint space of its head",
    ),
    generation=GenerationDefaults(temperature=0.1),
    generation_order=170,
    is_embedding=True,
)
