"""Pixels: one linear map of each patch."""

from __future__ import annotations

from torch import Tensor, nn

from fourm.errors import BadInput
from fourm.tokens import TokenSpec
from fourm.transformer.embeddings.positions import add_modality_vector, add_positions
from fourm.transformer.linear import Linear


class PixelEmbedding(nn.Module):
    """Patches of a picture (`rgb@224`), at their place in the grid.

    Keys: `proj.weight` (dim, channels*patch*patch), `pos_emb`, `mod_emb`.
    """

    pos_emb: Tensor
    mod_emb: Tensor

    def __init__(self, modality: TokenSpec, dim: int) -> None:
        super().__init__()
        self.modality = modality
        patch = modality.patch_size
        self.proj = Linear(modality.channels * patch * patch, dim, bias=False)
        add_positions(self, modality, dim)
        add_modality_vector(self, dim)

    def forward(self, content: Tensor, masked: Tensor | None) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) float -> x (B, n, dim) and e (1, n, dim), n = (H/patch) * (W/patch).

        Raises:
            BadInput: not the number of channels, or not the number of patches, of the modality.
        """
        modality = self.modality
        patch = modality.patch_size
        if content.dim() != 4 or content.shape[1] != modality.channels:
            raise BadInput(
                f"{modality.name} takes (B, {modality.channels}, H, W), not {list(content.shape)}"
            )
        batch, channels, height, width = content.shape
        rows, columns = height // patch, width // patch
        if (rows * patch, columns * patch) != (height, width) or (
            rows * columns != modality.max_tokens
        ):
            raise BadInput(
                f"{modality.name} takes pictures of {modality.max_tokens} patches of {patch} "
                f"pixels, not {height} x {width} pixels"
            )
        # 4M-21 reference, sec. 2.1: a patch is (row, column, channel), the channel fastest.
        patches = content.reshape(batch, channels, rows, patch, columns, patch)
        patches = patches.permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, -1)
        return self.proj(patches), self.pos_emb + self.mod_emb
