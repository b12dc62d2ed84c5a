"""Layer normalisation with a bias that is always in the state dict."""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPS = 1e-6


class LayerNorm(nn.Module):
    """LayerNorm over the last dimension, eps 1e-6.

    Without a bias, `bias` is a buffer of zeros (4M-21 reference, sec. 1.3).
    """

    bias: Tensor

    def __init__(self, dim: int, bias: bool) -> None:
        super().__init__()
        self.dim = dim
        self.weight = nn.Parameter(torch.ones(dim))
        if bias:
            self.register_parameter("bias", nn.Parameter(torch.zeros(dim)))
        else:
            self.register_buffer("bias", torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> (..., dim), in the dtype of the weights."""
        x = x.to(self.weight.dtype)
        return nn.functional.layer_norm(x, (self.dim,), self.weight, self.bias, EPS)
