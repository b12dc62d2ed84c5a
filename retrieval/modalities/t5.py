"""Text as embeddings of T5."""

from __future__ import annotations

from retrieval.modalities.features import array_modality

T5 = array_modality(
    "t5", "T5 embeddings", "T5-XXL embeddings of a text: .npy (n, 4096).", part_of_photo=False
)
