"""Fresh values of embeddings; none on the meta device, where they wait for a checkpoint's.

There, drawing numbers would do nothing but import torch's compiler, 160 MiB of it.
"""

from __future__ import annotations

import torch
from torch import nn


def normal(values: nn.Parameter) -> nn.Parameter:
    """The same parameter, drawn from N(0, 0.02^2)."""
    if not values.is_meta:
        nn.init.normal_(values, std=0.02)
    return values


def token_table(rows: int, dim: int) -> nn.Embedding:
    """A table (rows, dim) of token vectors, with the values of `nn.Embedding`."""
    if torch.empty(0).is_meta:
        return nn.Embedding(rows, dim, _weight=torch.empty(rows, dim))
    return nn.Embedding(rows, dim)
