"""Global embeddings of ImageBind."""

from __future__ import annotations

from retrieval.modalities.features import embedding

IMAGEBIND_EMBEDDING = embedding(
    "imagebind_embedding", "ImageBind embedding", "ImageBind H/14 global embedding: .npy (1280,)."
)
