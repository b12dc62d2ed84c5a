"""Images as tokens of a VQ-VAE, in place of their pixels."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

IMAGE_TOKENS = Modality(
    "image_tokens",
    "Image, as tokens",
    (Source("image_tokens", "FILE", "Image that the model reads as tokens, not as pixels."),),
)
