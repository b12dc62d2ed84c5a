"""Heads of readouts: from features to a unit vector of a space, and training them by contrast."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.training.correlation import Linear
from fourm.training.run import seeded


class Head(nn.Module):
    """matrix (x - mean), plus an MLP of the same, plus words; then unit length.

    Args:
        linear: where it starts.
        spread: (n,) standard deviations of the features, by which the MLP's input is divided.
        hidden: units of the MLP; 0: there is none. It starts at zero.
        words: (vocabulary, dim), or None.
        seed: of the MLP.
    """

    def __init__(
        self,
        linear: Linear,
        spread: Tensor,
        hidden: int = 0,
        words: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        dim, width = linear.matrix.shape
        self.mean = nn.Parameter(linear.mean.clone(), requires_grad=False)
        self.spread = nn.Parameter(spread.clamp_min(1e-6), requires_grad=False)
        self.matrix = nn.Parameter(linear.matrix * self.spread)
        self.words = None if words is None else nn.Parameter(words.clone())
        self.hidden = hidden
        if hidden:
            start = torch.randn(hidden, width, generator=seeded(seed)) / width**0.5
            self.hidden_weight = nn.Parameter(start)
            self.hidden_bias = nn.Parameter(torch.zeros(hidden))
            self.out_weight = nn.Parameter(torch.zeros(dim, hidden))

    def forward(self, x: Tensor, bag: Tensor | None = None, dropout: float = 0.0) -> Tensor:
        """Features (B, n) and bags of words (B, vocabulary) -> unit vectors (B, dim)."""
        z = F.dropout((x - self.mean) / self.spread, dropout, self.training)
        out = z @ self.matrix.T
        if self.hidden:
            units = F.gelu(z @ self.hidden_weight.T + self.hidden_bias)
            out = out + F.dropout(units, dropout, self.training) @ self.out_weight.T
        if self.words is not None and bag is not None:
            out = out + torch.sparse.mm(bag, self.words)
        return F.normalize(out, dim=-1)

    def tensors(self) -> dict[str, Tensor]:
        """As a model folder stores a head, the standardisation folded in."""
        found = {"mean": self.mean, "matrix": self.matrix / self.spread}
        if self.hidden:
            found["hidden_weight"] = self.hidden_weight / self.spread
            found |= {"hidden_bias": self.hidden_bias, "out_weight": self.out_weight}
        if self.words is not None:
            found["words"] = self.words
        return {name: tensor.detach().clone().contiguous() for name, tensor in found.items()}


@dataclass(frozen=True)
class Schedule:
    """How heads are trained."""

    steps: int = 600
    batch: int = 512
    rate: float = 1e-3
    decay: float = 0.0
    dropout: float = 0.2
    temperature: float = 0.05
    pull: float = 0.0
    """Weight of the squared distance from where the head started."""
