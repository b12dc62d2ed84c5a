"""Encoder and decoder blocks: pre-norm, residual (4M-21 reference, sec. 2.3)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from fourm.transformer.attention import CrossAttention, SeenKeys, SelfAttention
from fourm.transformer.config import FMConfig
from fourm.transformer.mlp import make_mlp
from fourm.transformer.norm import LayerNorm


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
        x = add(self.attn(self.norm1(x), allowed), x)
        return add(self.mlp(self.norm2(x)), x)


class BlockMemory(NamedTuple):
    """What a decoder block keeps while a sequence is decoded token by token.

    Attributes:
        seen: the sequence's own keys and values.
        keys, values: of the context, (B, heads, K, head_dim).
    """

    seen: SeenKeys
    keys: Tensor
    values: Tensor


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
        y = add(self.self_attn(self.norm1(y), self_allowed), y)
        context = self.context_norm(context)
        y = add(self.cross_attn(self.query_norm(y), context, cross_allowed, blind), y)
        return add(self.mlp(self.norm2(y)), y)

    def remember(self, context: Tensor, most: int) -> BlockMemory:
        """What `step` needs of a context (B, K, dim), for at most `most` tokens."""
        keys, values = self.cross_attn.keys_values(self.context_norm(context))
        return BlockMemory(SeenKeys(most), keys, values)

    def step(
        self,
        y: Tensor,
        memory: BlockMemory,
        cross_allowed: Tensor | None = None,
        blind: Tensor | None = None,
    ) -> Tensor:
        """The next token of a sequence, y (B, 1, dim) -> (B, 1, dim); added to the memory."""
        y = add(self.self_attn.step(self.norm1(y), memory.seen), y)
        context = (memory.keys, memory.values)
        y = add(self.cross_attn.attend(self.query_norm(y), context, cross_allowed, blind), y)
        return add(self.mlp(self.norm2(y)), y)


def add(update: Tensor, x: Tensor) -> Tensor:
    """X + update, in the memory of the update, which a linear layer has just made."""
    return update.add_(x)
