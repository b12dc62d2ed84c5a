"""The decoder's side of a modality: its queries, and the logits of its tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fourm.errors import UnknownModality
from fourm.tokens import TokenSpec
from fourm.transformer.embeddings.initial import token_table
from fourm.transformer.embeddings.positions import add_modality_vector, add_positions, ranks
from fourm.transformer.linear import Linear


class Target(nn.Module):
    """What image and sequence targets share.

    Keys: `token_emb.weight` and `to_logits.weight` (vocabulary, dim), `pos_emb`, `mod_emb`.
    Logits have no bias. Training may tie the two tables; files may hold one or both.
    """

    pos_emb: Tensor
    mod_emb: Tensor

    def __init__(self, modality: TokenSpec, dim: int) -> None:
        super().__init__()
        self.modality = modality
        self.token_emb = token_table(modality.vocabulary, dim)
        self.to_logits = Linear(dim, modality.vocabulary, bias=False)
        add_positions(self, modality, dim)
        add_modality_vector(self, dim)


class ImageTarget(Target):
    """Image tokens to predict: every place has a query of its own, no content goes in."""

    def places(self) -> Tensor:
        """Position+modality vectors (1, n, dim) of all n token places."""
        return self.pos_emb + self.mod_emb


class SequenceTarget(Target):
    """Word pieces to predict one after another, each from those before it."""

    def places(self, masked: Tensor) -> Tensor:
        """Position+modality vectors (B, n, dim); masked (B, n) True = not a target.

        4M-21 reference, sec. 2.1: ranks beyond the decoder's limit fall back to row 0.
        """
        order = ranks(masked)
        order = order.masked_fill(order >= self.modality.decoder_rows, 0)
        rows = torch.nn.functional.embedding(order, self.pos_emb[0])
        return rows.masked_fill(masked[..., None], 0) + self.mod_emb


def target_embedding(modality: TokenSpec, dim: int) -> Target:
    """The decoder module of a modality.

    Raises:
        UnknownModality: pixels and embeddings are inputs only.
    """
    if modality.kind == "img":
        return ImageTarget(modality, dim)
    if modality.kind == "seq":
        return SequenceTarget(modality, dim)
    raise UnknownModality(f"{modality.name} ({modality.kind}) can be an input, never an output")
