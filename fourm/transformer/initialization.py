"""Initial values of parameters; none on the meta device, where they are loaded from a checkpoint.

There, drawing numbers would have no effect but to import torch's compiler: 160 MiB and a second.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

AnyTensor = TypeVar("AnyTensor", bound=Tensor)


def normal(values: AnyTensor, std: float = 0.02) -> AnyTensor:
    """Fill a tensor with normal numbers of mean 0, in place, and return it."""
    if not values.is_meta:
        nn.init.normal_(values, std=std)
    return values


def token_table(rows: int, dim: int) -> nn.Embedding:
    """A table (rows, dim) of token vectors, initialised as `nn.Embedding` does."""
    if building_on_meta():
        return nn.Embedding(rows, dim, _weight=torch.empty(rows, dim))
    return nn.Embedding(rows, dim)


def building_on_meta() -> bool:
    """Whether new tensors are on the meta device."""
    return torch.empty(0).is_meta
