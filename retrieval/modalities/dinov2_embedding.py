"""Global embeddings of DINOv2."""

from __future__ import annotations

from retrieval.modalities.features import array_modality

DINOV2_EMBEDDING = array_modality(
    "dinov2_embedding", "DINOv2 embedding", "DINOv2 B/14 global embedding: .npy (768,)."
)
