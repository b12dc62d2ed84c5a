"""Image tokens: a fixed number of ids, each at its own place."""

from __future__ import annotations

from torch import Tensor, nn

from fourm.errors import BadInput
from fourm.tokens import TokenSpec
from fourm.transformer.embeddings.initial import token_table
from fourm.transformer.embeddings.positions import add_modality_vector, add_positions


class TokenEmbedding(nn.Module):
    """Ids of a tokenizer's codebook (`tok_semseg@224`, `tok_dinov2_global`).

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
        """(B, n) int64 ids -> x (B, n, dim) and e (1, n, dim); n is the modality's.

        Raises:
            BadInput: another number of tokens, or an id outside the vocabulary.
        """
        check_ids(content, self.modality)
        if content.shape[1] != self.modality.max_tokens:
            raise BadInput(
                f"{self.modality.name} has {self.modality.max_tokens} tokens, "
                f"not {content.shape[1]}"
            )
        return self.token_emb(content), self.pos_emb + self.mod_emb


def check_ids(ids: Tensor, modality: TokenSpec) -> None:
    """Refuse ids that are not (B, n) integers of the modality's vocabulary.

    Raises:
        BadInput: they are not.
    """
    if ids.dim() != 2 or ids.is_floating_point():
        raise BadInput(f"{modality.name} takes (B, n) integer ids, not {list(ids.shape)} floats")
    if ids.numel():
        low, high = (int(value) for value in ids.aminmax())
        if low < 0 or high >= modality.vocabulary:
            raise BadInput(
                f"{modality.name} has ids 0..{modality.vocabulary - 1}, not {low}..{high}"
            )
