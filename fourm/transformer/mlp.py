"""The feed-forward network of a block."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fourm.transformer.config import FMConfig
from fourm.transformer.linear import Linear


class Mlp(nn.Module):
    """fc2(act(fc1 u)). Keys: `fc1`, `fc2`."""

    def __init__(self, config: FMConfig) -> None:
        super().__init__()
        self.fc1 = Linear(config.dim, config.hidden, bias=config.mlp_bias)
        self.act: nn.Module = getattr(nn, config.act_layer)()
        self.fc2 = Linear(config.hidden, config.dim, bias=config.mlp_bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> (..., dim)."""
        result: Tensor = self.fc2(self.act(self.fc1(x)))
        return result


class GatedMlp(Mlp):
    """fc2(act(fc1 u) * fc3 u); SwiGLU when act is SiLU. Keys: `fc1`, `fc2`, `fc3`."""

    def __init__(self, config: FMConfig) -> None:
        super().__init__(config)
        self.fc3 = Linear(config.dim, config.hidden, bias=config.mlp_bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> (..., dim)."""
        x = x.to(self.fc1.weight.dtype)  # once for both
        gate, hidden = self.act(self.fc1(x)), self.fc3(x)
        # In place if no gradient needs the factors.
        product = gate * hidden if torch.is_grad_enabled() else hidden.mul_(gate)
        result: Tensor = self.fc2(product)
        return result


def make_mlp(config: FMConfig) -> Mlp:
    """Build the MLP of a config."""
    return GatedMlp(config) if config.gated_mlp else Mlp(config)
