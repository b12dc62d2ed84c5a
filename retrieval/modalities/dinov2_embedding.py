"""Global embeddings of DINOv2."""

from __future__ import annotations

from retrieval.modalities.features import embedding

DINOV2_EMBEDDING = embedding(
    "dinov2_embedding", "DINOv2 embedding", "DINOv2 B/14 global embedding: .npy (768,)."
)
