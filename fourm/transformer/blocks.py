"""Encoder and decoder blocks: pre-norm, residual (4M-21 reference, sec. 2.3)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from fourm.transformer.attention import CrossAttention, KeyValueCache, SelfAttention
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
        """(B, N, dim) -> (B, N, dim); `allowed` as in `SelfAttention`."""
        x = add(self.attn(self.norm1(x), allowed), x)
        return add(self.mlp(self.norm2(x)), x)


class DecoderCache(NamedTuple):
    """What a decoder block keeps while a sequence is decoded token by token.

    Attributes:
        decoded: keys and values of the sequence so far.
        keys, values: of the context, (B, heads, K, head_dim).
    """

    decoded: KeyValueCache
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
        fully_masked: Tensor | None = None,
    ) -> Tensor:
        """(B, M, dim) -> (B, M, dim); context (B, K, dim), masks as in the attentions."""
        y = add(self.self_attn(self.norm1(y), self_allowed), y)
        context = self.context_norm(context)
        y = add(self.cross_attn(self.query_norm(y), context, cross_allowed, fully_masked), y)
        return add(self.mlp(self.norm2(y)), y)

    def cache(self, context: Tensor, capacity: int) -> DecoderCache:
        """A new cache for `step`: a context (B, K, dim), and at most `capacity` tokens."""
        keys, values = self.cross_attn.keys_values(self.context_norm(context))
        return DecoderCache(KeyValueCache(capacity), keys, values)

    def step(
        self,
        y: Tensor,
        cache: DecoderCache,
        cross_allowed: Tensor | None = None,
        fully_masked: Tensor | None = None,
    ) -> Tensor:
        """The next token of a sequence (B, 1, dim) -> (B, 1, dim); it is added to the cache."""
        y = add(self.self_attn.step(self.norm1(y), cache.decoded), y)
        context = (cache.keys, cache.values)
        y = add(self.cross_attn.attend(self.query_norm(y), context, cross_allowed, fully_masked), y)
        return add(self.mlp(self.norm2(y)), y)


def add(update: Tensor, x: Tensor) -> Tensor:
    """`x + update`, in the higher precision of the two.

    Where both have the same, it is computed in the memory of `update`, the new output of a linear
    layer.
    """
    return update.add_(x) if update.dtype == x.dtype else x + update
