"""Fresh values of parameters; none on the meta device, where they wait for a checkpoint's.

There, drawing numbers would do nothing but import torch's compiler: 160 MiB and a second.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

AnyTensor = TypeVar("AnyTensor", bound=Tensor)


def normal(values: AnyTensor, deviation: float = 0.02) -> AnyTensor:
    """The same tensor, filled with normal numbers around 0."""
    if not values.is_meta:
        nn.init.normal_(values, std=deviation)
    return values


def token_table(rows: int, dim: int) -> nn.Embedding:
    """A table (rows, dim) of token vectors, with the values of `nn.Embedding`."""
    if building_on_meta():
        return nn.Embedding(rows, dim, _weight=torch.empty(rows, dim))
    return nn.Embedding(rows, dim)


def building_on_meta() -> bool:
    """Whether new tensors are on the meta device."""
    return torch.empty(0).is_meta
