"""Encoder and decoder blocks: pre-norm, residual (4M-21 reference, sec. 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from fourm.transformer.attention import CrossAttention, SelfAttention
from fourm.transformer.mlp import make_mlp
from fourm.transformer.norm import LayerNorm

if TYPE_CHECKING:
    from fourm.transformer.config import FMConfig


class EncoderBlock(nn.Module):
    """Self-attention, then MLP. Keys: `norm1`, `attn`, `norm2`, `mlp`."""

    def __init__(self, config: FMConfig) -> None:
        super().__init__()
        self.norm1 = LayerNorm(config.dim, config.norm_bias)
        self.attn = SelfAttention(config)
        self.norm2 = LayerNorm(config.dim, config.norm_bias)
        self.mlp = make_mlp(config)

    def forward(self, x: Tensor, allowed: Tensor | None = None) -> Tensor:
        """X (B, N, dim), allowed as in `SelfAttention` -> (B, N, dim)."""
        x = x + self.attn(self.norm1(x), allowed)
        x = x + self.mlp(self.norm2(x))
        return x


class DecoderBlock(nn.Module):
    """Self-attention, cross-attention, then MLP.

    Keys: `norm1`, `self_attn`, `query_norm`, `context_norm`, `cross_attn`, `norm2`, `mlp`.
    """

    def __init__(self, config: FMConfig) -> None:
        super().__init__()
        self.norm1 = LayerNorm(config.dim, config.norm_bias)
        self.self_attn = SelfAttention(config)
        self.query_norm = LayerNorm(config.dim, config.norm_bias)
        self.context_norm = LayerNorm(config.dim, config.norm_bias)
        self.cross_attn = CrossAttention(config)
        self.norm2 = LayerNorm(config.dim, config.norm_bias)
        self.mlp = make_mlp(config)

    def forward(
        self,
        y: Tensor,
        context: Tensor,
        self_allowed: Tensor | None = None,
        cross_allowed: Tensor | None = None,
        blind: Tensor | None = None,
    ) -> Tensor:
        """Y (B, M, dim), context (B, K, dim), masks as in the attentions -> (B, M, dim)."""
        y = y + self.self_attn(self.norm1(y), self_allowed)
        y = y + self.cross_attn(
            self.query_norm(y), self.context_norm(context), cross_allowed, blind
        )
        y = y + self.mlp(self.norm2(y))
        return y
