"""Which embedding a kind of modality has on the encoder's side."""

from __future__ import annotations

from torch import nn

from fourm.tokens import TokenSpec
from fourm.transformer.embeddings.pixels import PixelEmbedding
from fourm.transformer.embeddings.sequences import FeatureEmbedding, SequenceEmbedding
from fourm.transformer.embeddings.tokens import TokenEmbedding


def input_embedding(modality: TokenSpec, dim: int) -> nn.Module:
    """The encoder module of a modality: `forward(content, masked) -> (x, e)`."""
    if modality.kind == "pixels":
        return PixelEmbedding(modality, dim)
    if modality.kind == "img":
        return TokenEmbedding(modality, dim)
    if modality.kind == "seq":
        return SequenceEmbedding(modality, dim)
    return FeatureEmbedding(modality, dim)
