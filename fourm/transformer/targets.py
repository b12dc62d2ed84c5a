"""The decoder's side of a modality: its queries, and the logits of its tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fourm.errors import UnknownModality
from fourm.tokens import TokenSpec
from fourm.transformer.initialization import token_table
from fourm.transformer.linear import Linear
from fourm.transformer.positions import ranks, register_embeddings


class TargetEmbedding(nn.Module):
    """Base of the modules of image and sequence targets.

    Keys: `token_emb.weight` and `to_logits.weight` (vocabulary, dim), `pos_emb`, `mod_emb`.
    Logits have no bias. Training may tie the two tables; files may hold one or both.
    """

    pos_emb: Tensor
    mod_emb: Tensor

    def __init__(self, spec: TokenSpec, dim: int) -> None:
        super().__init__()
        self.spec = spec
        self.token_emb = token_table(spec.vocabulary, dim)
        self.to_logits = Linear(dim, spec.vocabulary, bias=False)
        register_embeddings(self, spec, dim)


class ImageTarget(TargetEmbedding):
    """Image tokens: every position has a query of its own, without content."""

    def positions(self) -> Tensor:
        """Position plus modality embeddings (1, n, dim) of all n tokens."""
        return self.pos_emb + self.mod_emb


class SequenceTarget(TargetEmbedding):
    """Word pieces, each predicted from those before it."""

    def positions(self, masked: Tensor) -> Tensor:
        """Position plus modality embeddings (B, n, dim).

        4M-21 reference, sec. 2.1: ranks beyond the decoder's limit fall back to row 0.

        Args:
            masked: (B, n) bool, True = not a target.
        """
        order = ranks(masked)
        order = order.masked_fill(order >= self.spec.decoder_rows, 0)
        rows = torch.nn.functional.embedding(order, self.pos_emb[0])
        return rows.masked_fill(masked[..., None], 0) + self.mod_emb


def target_embedding(spec: TokenSpec, dim: int) -> ImageTarget | SequenceTarget:
    """Build the decoder module of a modality.

    Raises:
        UnknownModality: pixels and embeddings cannot be predicted.
    """
    if spec.kind == "img":
        return ImageTarget(spec, dim)
    if spec.kind == "seq":
        return SequenceTarget(spec, dim)
    raise UnknownModality(f"{spec.name} ({spec.kind}) can be an input, but not an output")
