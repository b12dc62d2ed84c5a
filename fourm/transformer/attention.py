"""Multi-head attention, through torch's scaled_dot_product_attention.

Masks of inputs are bool, True = ignored. The reference fills the scores of ignored keys with the
lowest float, so that a query of a fully masked sample attends to all keys alike, whatever they
hold. Here the attention output of fully masked samples is 0 (`visible_keys`), which is what the
reference computes for such a sample alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from fourm.transformer.config import FMConfig
from fourm.transformer.linear import Linear
from fourm.transformer.norm import LayerNorm


class SelfAttention(nn.Module):
    """Keys: `qkv`, `proj`, and with qk_norm `q_norm`, `k_norm` over one head's width."""

    def __init__(self, config: FMConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.qkv = Linear(config.dim, 3 * config.dim, bias=config.qkv_bias)
        self.proj = Linear(config.dim, config.dim, bias=config.proj_bias)
        self.q_norm, self.k_norm = _head_norms(config)

    def forward(self, x: Tensor, allowed: Tensor | None = None) -> Tensor:
        """(B, N, dim) -> (B, N, dim).

        Args:
            x: (B, N, dim).
            allowed: bool that broadcasts to (B, heads, N, N), True = a query attends to a key; at
                least one in every row. None: all do.
        """
        q, k, v = self._heads(x)
        return self._attend(q, k, v, allowed)

    def step(self, x: Tensor, cache: KeyValueCache) -> Tensor:
        """The next token (B, 1, dim) -> (B, 1, dim); it attends to itself and those before it.

        Its key and value are added to the cache.
        """
        q, k, v = self._heads(x)
        keys, values = cache.append(k, v)
        return self._attend(q, keys, values, None)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, length, _ = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        return self.q_norm(q).to(v.dtype), self.k_norm(k).to(v.dtype), v

    def _attend(self, q: Tensor, k: Tensor, v: Tensor, allowed: Tensor | None) -> Tensor:
        out = scaled_dot_product_attention(q, k, v, attn_mask=allowed)
        result: Tensor = self.proj(out.transpose(1, 2).flatten(2))
        return result


class CrossAttention(nn.Module):
    """Keys: `q`, `kv`, `proj`, and with qk_norm `q_norm`, `k_norm`."""

    def __init__(self, config: FMConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.q = Linear(config.dim, config.dim, bias=config.qkv_bias)
        self.kv = Linear(config.dim, 2 * config.dim, bias=config.qkv_bias)
        self.proj = Linear(config.dim, config.dim, bias=config.proj_bias)
        self.q_norm, self.k_norm = _head_norms(config)

    def forward(
        self, x: Tensor, context: Tensor, allowed: Tensor | None, fully_masked: Tensor | None
    ) -> Tensor:
        """(B, M, dim) -> (B, M, dim).

        Args:
            x: queries (B, M, dim).
            context: (B, K, dim), what they attend to; K may be 0.
            allowed: bool that broadcasts to (B, heads, M, K), True = visible. None: all are.
            fully_masked: (B,) bool, samples without a visible key: their attention output is 0.
                None: there are none.
        """
        context = context.to(self.kv.weight.dtype)
        if x.device.type == "cpu" and self._has_few_queries(x.shape[1], context.shape[1]):
            return self._attend_to_context(x, context, allowed, fully_masked)
        return self.attend(x, self.keys_values(context), allowed, fully_masked)

    def keys_values(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, heads, K, head_dim) of a context (B, K, dim)."""
        batch, length, dim = context.shape
        kv = self.kv(context).view(batch, length, 2, self.heads, dim // self.heads)
        k, v = kv.permute(2, 0, 3, 1, 4).unbind(0)
        return self.k_norm(k).to(v.dtype), v

    def attend(
        self,
        x: Tensor,
        keys_values: tuple[Tensor, Tensor],
        allowed: Tensor | None,
        fully_masked: Tensor | None,
    ) -> Tensor:
        """As `forward`, with the `keys_values` of the context."""
        k, v = keys_values
        batch, length, dim = x.shape
        if k.shape[2] == 0:
            return self._project(x.new_zeros(batch, length, dim))
        q = self.q(x).view(batch, length, self.heads, -1).transpose(1, 2)
        q = self.q_norm(q).to(k.dtype)
        out = scaled_dot_product_attention(q, k, v, attn_mask=allowed)
        return self._project(_unless_masked(out.transpose(1, 2).flatten(2), fully_masked))

    def _has_few_queries(self, queries: int, keys: int) -> bool:
        """Whether `_attend_to_context` takes less time than computing keys and values.

        It does not project the keys, but projects the queries once more, and attends to vectors
        that are `heads` times as wide, which takes twice the time of a projection of as many
        products.
        """
        if keys == 0 or not isinstance(self.k_norm, nn.Identity):
            return False
        dim = self.q.in_features
        return queries * dim + 2 * self.heads * queries * keys < keys * dim

    def _attend_to_context(
        self, x: Tensor, context: Tensor, allowed: Tensor | None, fully_masked: Tensor | None
    ) -> Tensor:
        """As `forward`, without keys and values: for a few queries and a long context.

        A score is q . (K c) = (K^T q) . c, and a sum of values is the value of the sum: the two
        projections are applied to the queries instead of the context. The bias of the keys adds the
        same to all scores of a query, which the softmax cancels; the bias of the values is added
        once, since the weights sum to 1.
        """
        batch, length, dim = x.shape
        to_keys, to_values = self.kv.weight.view(2, self.heads, -1, dim)
        q = self.q(x).view(batch * length, self.heads, -1).transpose(0, 1)
        q = (q @ to_keys).view(self.heads, batch, length, dim).transpose(0, 1)
        context = context[:, None]
        seen = scaled_dot_product_attention(
            q.reshape(batch, 1, -1, dim),
            context,
            context,
            attn_mask=allowed,
            scale=to_keys.shape[1] ** -0.5,
        )
        seen = seen.view(batch, self.heads, length, dim).transpose(0, 1).flatten(1, 2)
        out = (seen @ to_values.mT).view(self.heads, batch, length, -1).permute(1, 2, 0, 3)
        out = out.flatten(2)
        if self.kv.bias is not None:
            out = out + self.kv.bias[dim:]
        return self._project(_unless_masked(out, fully_masked))

    def _project(self, out: Tensor) -> Tensor:
        result: Tensor = self.proj(out)
        return result


def _unless_masked(out: Tensor, fully_masked: Tensor | None) -> Tensor:
    return out if fully_masked is None else out.masked_fill(fully_masked[:, None, None], 0)


class KeyValueCache:
    """Keys and values of the tokens decoded so far by one self-attention.

    Args:
        capacity: the most tokens.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self.length = capacity, 0
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add one token's (B, heads, 1, head_dim); return all, (B, heads, length, head_dim)."""
        if self._keys is None or self._values is None:
            shape = (*k.shape[:2], self.capacity, k.shape[3])
            self._keys, self._values = k.new_empty(shape), v.new_empty(shape)
        self._keys[:, :, self.length] = k[:, :, 0]
        self._values[:, :, self.length] = v[:, :, 0]
        self.length += 1
        return self._keys[:, :, : self.length], self._values[:, :, : self.length]


def visible_keys(masked: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """Attention masks of a key mask.

    Args:
        masked: (B, K) bool, True = ignored, or None.

    Returns:
        allowed: (B, 1, 1, K) bool for `scaled_dot_product_attention`. All keys of a fully masked
            sample are allowed, so that its softmax is finite; the result is dropped. None: all
            keys of all samples are visible.
        fully_masked: (B,) bool, or None if no sample is.
    """
    if masked is None or masked.shape[1] == 0:
        return None, None
    fully_masked = masked.all(dim=1)
    allowed = (~masked | fully_masked[:, None])[:, None, None, :]
    return allowed, fully_masked if bool(torch.any(fully_masked)) else None


def _head_norms(config: FMConfig) -> tuple[nn.Module, nn.Module]:
    if not config.qk_norm:
        return nn.Identity(), nn.Identity()
    return (
        LayerNorm(config.head_dim, config.norm_bias),
        LayerNorm(config.head_dim, config.norm_bias),
    )
