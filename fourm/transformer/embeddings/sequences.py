"""Sequences: word pieces, and the vectors of a language model; positions are ranks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fourm.errors import BadInput
from fourm.tokens import TokenSpec
from fourm.transformer.embeddings.initial import token_table
from fourm.transformer.embeddings.positions import add_modality_vector, add_positions, ranks
from fourm.transformer.embeddings.tokens import check_ids
from fourm.transformer.linear import Linear


class SequenceEmbedding(nn.Module):
    """Word pieces (`caption`, `det`, `metadata`).

    Keys: `token_emb.weight` (vocabulary, dim), `pos_emb`, `mod_emb`.
    """

    pos_emb: Tensor
    mod_emb: Tensor

    def __init__(self, modality: TokenSpec, dim: int) -> None:
        super().__init__()
        self.modality = modality
        self.token_emb = token_table(modality.vocabulary, dim)
        add_positions(self, modality, dim)
        add_modality_vector(self, dim)

    def forward(self, content: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, n) int64 ids -> x (B, n, dim) and e (B or 1, n, dim).

        Raises:
            BadInput: an id outside the vocabulary, or more visible tokens than positions.
        """
        check_ids(content, self.modality)
        e = rank_positions(self.pos_emb, content.shape[1], masked, self.modality) + self.mod_emb
        return self.token_emb(content), e


class FeatureEmbedding(nn.Module):
    """Vectors of a language model (`t5_caption`), mapped to the model's width.

    Keys: `emb_proj.weight` (dim, width), `emb_proj.bias`, `pos_emb`, `mod_emb`.
    """

    pos_emb: Tensor
    mod_emb: Tensor

    def __init__(self, modality: TokenSpec, dim: int) -> None:
        super().__init__()
        self.modality = modality
        self.emb_proj = Linear(modality.width, dim)
        add_positions(self, modality, dim)
        add_modality_vector(self, dim)

    def forward(self, content: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, n, width) float -> x (B, n, dim) and e (B or 1, n, dim).

        Raises:
            BadInput: another width, or more visible tokens than positions.
        """
        if content.dim() != 3 or content.shape[2] != self.modality.width:
            raise BadInput(
                f"{self.modality.name} takes (B, n, {self.modality.width}), "
                f"not {list(content.shape)}"
            )
        e = rank_positions(self.pos_emb, content.shape[1], masked, self.modality) + self.mod_emb
        return self.emb_proj(content), e


def rank_positions(
    table: Tensor, places: int, masked: Tensor | None, modality: TokenSpec
) -> Tensor:
    """Rows of `table` (1, rows, dim) by rank among visible tokens: (B or 1, places, dim).

    4M-21 reference, sec. 2.1: position = number of visible tokens before this one in its sequence.

    Raises:
        BadInput: more visible tokens than rows.
    """
    rows = table.shape[1]
    longest = places if masked is None else int((~masked).sum(dim=1).max()) if places else 0
    if longest > rows:
        raise BadInput(f"{modality.name} takes at most {rows} tokens, not {longest}")
    if masked is None:
        return table[:, :places]
    order = ranks(masked)
    return torch.nn.functional.embedding(order, table[0])
