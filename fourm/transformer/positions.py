"""Position and modality embeddings: sine-cosine tables, learned tables, ranks of visible tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fourm.tokens import TokenSpec
from fourm.transformer.initialization import normal


def sincos_1d(rows: int, dim: int) -> Tensor:
    """(1, rows, dim) float32: sines over the first half of the channels, cosines over the second.

    4M-21 reference, sec. 2.1: w_k = 10000^(-k / (dim/2)).
    """
    angles = torch.arange(rows, dtype=torch.float32)[:, None] * _frequencies(dim // 2)
    return torch.cat([angles.sin(), angles.cos()], dim=1)[None]


def sincos_2d(side: int, dim: int) -> Tensor:
    """(1, side*side, dim) float32, row-major: sin, cos of the row, then sin, cos of the column.

    4M-21 reference, sec. 2.1: w_k = 10000^(-k / (dim/4)).
    """
    angles = torch.arange(side, dtype=torch.float32)[:, None] * _frequencies(dim // 4)
    rows = angles.repeat_interleave(side, dim=0)
    columns = angles.repeat(side, 1)
    return torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()], dim=1)[None]


def _frequencies(count: int) -> Tensor:
    return 10000.0 ** -(torch.arange(count, dtype=torch.float32) / count)


def register_embeddings(module: nn.Module, spec: TokenSpec, dim: int) -> None:
    """Register `pos_emb` (1, rows, dim) and the parameter `mod_emb` (1, 1, dim) of a module.

    `pos_emb` is a parameter if the positions are learned, else a buffer.
    """
    table = torch.empty(1, spec.position_rows, dim)
    if spec.positions == "learned":
        module.register_parameter("pos_emb", normal(nn.Parameter(table)))
    elif table.is_meta:  # to be loaded; sines on the meta device would import torch's compiler
        module.register_buffer("pos_emb", table)
    elif spec.positions == "sincos2d":
        module.register_buffer("pos_emb", sincos_2d(spec.grid, dim))
    else:
        module.register_buffer("pos_emb", sincos_1d(spec.position_rows, dim))
    module.register_parameter("mod_emb", normal(nn.Parameter(torch.empty(1, 1, dim))))


def ranks(masked: Tensor) -> Tensor:
    """(B, n) int64: each visible token's rank among the visible of its row; 0 where masked."""
    order = (~masked).cumsum(dim=1) - 1
    return order.masked_fill(masked, 0)
