"""The 'lucid' quantizer: one codebook shared by every position of a grid."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.errors import BadInput
from fourm.transformer.initialization import normal


def check_tokens(tokens: Tensor, codebook_size: int) -> None:
    """Refuse tokens that no codebook of this size has.

    Raises:
        BadInput: `tokens` is not of an integer type, or holds a value outside
            `0 .. codebook_size - 1`.
    """
    if tokens.is_floating_point() or tokens.is_complex() or tokens.dtype == torch.bool:
        raise BadInput(f"tokens must be integers, not {str(tokens.dtype).removeprefix('torch.')}")
    if tokens.numel() == 0:
        return
    low, high = int(tokens.min()), int(tokens.max())
    if low < 0 or high >= codebook_size:
        raise BadInput(
            f"token {low if low < 0 else high} is outside the codebook: "
            f"it has entries 0 to {codebook_size - 1}"
        )


class _Codebook(nn.Module):
    initted: Tensor
    cluster_size: Tensor
    embed: Tensor

    def __init__(self, codebook_size: int, dim: int, norm_codes: bool) -> None:
        super().__init__()
        self.register_buffer("initted", torch.ones(1))
        self.register_buffer("cluster_size", torch.zeros(codebook_size))
        self.register_buffer("embed", normal(torch.empty(codebook_size, dim), dim**-0.5))
        if not norm_codes:
            self.register_buffer("embed_avg", self.embed.clone())


class LucidQuantizer(nn.Module):
    """Nearest entry of one codebook (4M-21 reference: 'lucid' quantizer, one head).

    With `norm_codes` nearest is by cosine, else by Euclidean distance; the quantised value is the
    entry as stored in both cases, not its normalised form. `norm_latents` makes latents of unit
    length first, which counts for distances alone. Works in float32 whatever comes in.
    """

    def __init__(
        self, codebook_size: int, dim: int, norm_codes: bool = True, norm_latents: bool = False
    ) -> None:
        super().__init__()
        self.codebook_size = codebook_size
        self.dim = dim
        self.norm_codes = norm_codes
        self.norm_latents = norm_latents
        self._codebook = _Codebook(codebook_size, dim, norm_codes)

    @property
    def codes(self) -> Tensor:
        """The entries, (K, dim)."""
        return self._codebook.embed

    def encode(self, latents: Tensor) -> Tensor:
        """(B, dim, h, w) -> tokens (B, h, w), int64."""
        rows = latents.permute(0, 2, 3, 1).float()
        codes = self.codes.float()
        if self.norm_codes or self.norm_latents:
            rows = F.normalize(rows, dim=-1)
        if self.norm_codes:
            return (rows @ F.normalize(codes, dim=-1).T).argmax(-1)
        # |h - c|^2 without |h|^2, which is the same for every c.
        return (codes.square().sum(-1) - 2 * rows @ codes.T).argmin(-1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Tokens (B, h, w) -> values (B, dim, h, w).

        Raises:
            BadInput: a token is outside the codebook, or `tokens` has another shape or type.
        """
        if tokens.ndim != 3:
            raise BadInput(f"tokens must have shape (B, h, w), not {tuple(tokens.shape)}")
        check_tokens(tokens, self.codebook_size)
        return self.codes[tokens.long()].permute(0, 3, 1, 2)

    def decode_soft(self, probabilities: Tensor) -> Tensor:
        """Expected value under probabilities (B, h, w, K) -> (B, dim, h, w).

        Raises:
            BadInput: the last axis is not the codebook, or there are not four axes.
        """
        if probabilities.ndim != 4 or probabilities.shape[-1] != self.codebook_size:
            raise BadInput(
                f"probabilities must have shape (B, h, w, {self.codebook_size}), "
                f"not {tuple(probabilities.shape)}"
            )
        return (probabilities.to(self.codes.dtype) @ self.codes).permute(0, 3, 1, 2)
