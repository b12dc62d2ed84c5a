"""BERT encoder, with the tensor names of published files."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.checkpoints import Fields
from fourm.errors import BadInput, ConfigError
from fourm.transformer.initialization import token_table
from fourm.transformer.linear import Linear


@dataclass(frozen=True)
class BertConfig:
    """Configuration of a BERT encoder; `dim` is the width of its outputs."""

    vocabulary: int
    dim: int
    depth: int
    heads: int
    hidden: int
    positions: int
    segments: int
    eps: float

    @classmethod
    def from_fields(cls, fields: Fields) -> BertConfig:
        """Read the `config.json` of a published BERT model.

        Raises:
            ConfigError: a field is missing or of the wrong type, the activation is not GELU,
                positions are not absolute, or the width is not a multiple of the heads.
        """
        config = cls(
            vocabulary=fields.integer("vocab_size", low=1),
            dim=fields.integer("hidden_size", low=1),
            depth=fields.integer("num_hidden_layers", low=1, high=512),
            heads=fields.integer("num_attention_heads", low=1),
            hidden=fields.integer("intermediate_size", low=1),
            positions=fields.integer("max_position_embeddings", low=2),
            segments=fields.integer("type_vocab_size", 2, low=1),
            eps=fields.number("layer_norm_eps", 1e-12),
        )
        if config.dim % config.heads:
            raise ConfigError(
                f"hidden_size {config.dim} is not a multiple of num_attention_heads {config.heads}",
                where=fields.where,
            )
        for name, only in (("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
            if fields.text(name, only) != only:
                raise fields.error(name, repr(only), fields.values[name])
        return config


class _Embeddings(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = token_table(config.vocabulary, config.dim)
        self.position_embeddings = token_table(config.positions, config.dim)
        self.token_type_embeddings = token_table(config.segments, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=config.eps)

    def forward(self, ids: Tensor) -> Tensor:
        positions = self.position_embeddings.weight[: ids.shape[1]]
        segment = self.token_type_embeddings.weight[0]
        out: Tensor = self.LayerNorm(self.word_embeddings(ids) + positions + segment)
        return out


class _SelfAttention(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = Linear(config.dim, config.dim)
        self.key = Linear(config.dim, config.dim)
        self.value = Linear(config.dim, config.dim)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        batch, length, dim = x.shape
        q, k, v = (
            projection(x).view(batch, length, self.heads, dim // self.heads).transpose(1, 2)
            for projection in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible)
        return mixed.transpose(1, 2).reshape(batch, length, dim)


class _Output(nn.Module):
    """Projection, residual and norm at the end of each half of a layer."""

    def __init__(self, dim_in: int, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(dim_in, config.dim)
        self.LayerNorm = nn.LayerNorm(config.dim, eps=config.eps)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        out: Tensor = self.LayerNorm(self.dense(x) + residual)
        return out


class _Attention(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = _SelfAttention(config)
        self.output = _Output(config.dim, config)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        out: Tensor = self.output(self.self(x, visible), x)
        return out


class _Intermediate(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(config.dim, config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.dense(x))


class _Layer(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = _Attention(config)
        self.intermediate = _Intermediate(config)
        self.output = _Output(config.hidden, config)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        x = self.attention(x, visible)
        out: Tensor = self.output(self.intermediate(x), x)
        return out


class _Encoder(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(config) for _ in range(config.depth))


class Bert(nn.Module):
    """BERT encoder: token ids to one vector each."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = _Embeddings(config)
        self.encoder = _Encoder(config)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode a batch of texts.

        Args:
            ids: (B, N) integers, `0 .. vocabulary - 1`.
            mask: (B, N) bool, True = ignored (padding).

        Returns:
            (B, N, dim). Rows of ignored tokens are 0; the others do not depend on them.

        Raises:
            BadInput: other shapes, a text longer than the position embeddings, or an id outside the
                vocabulary.
        """
        if ids.ndim != 2 or mask.shape != ids.shape or mask.dtype != torch.bool:
            raise BadInput(
                "ids and mask must both be (B, N), and mask bool, "
                f"got {tuple(ids.shape)} and {mask.dtype} {tuple(mask.shape)}"
            )
        if ids.shape[1] > self.config.positions:
            raise BadInput(f"a text has at most {self.config.positions} tokens, got {ids.shape[1]}")
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < self.config.vocabulary:
            raise BadInput(f"token ids must be between 0 and {self.config.vocabulary - 1}")
        x = self.embeddings(ids)
        visible = ~mask[:, None, None, :]
        for layer in self.encoder.layer:
            x = layer(x, visible)
        out: Tensor = x.masked_fill(mask[:, :, None], 0.0)
        return out
