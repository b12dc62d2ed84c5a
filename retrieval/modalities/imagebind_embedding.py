"""Global embeddings of ImageBind."""

from __future__ import annotations

from retrieval.modalities.features import array_modality

IMAGEBIND_EMBEDDING = array_modality(
    "imagebind_embedding", "ImageBind embedding", "ImageBind H/14 global embedding: .npy (1280,)."
)
