"""Reading a kind of input at the encoder's register token: a linear map into the space.

InfoNCE against the embeddings of all training photos, as in stage `joint`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.training.run import seeded

TEMPERATURE = 0.05


class Readout(nn.Module):
    """Register tokens (B, D) -> unit vectors (B, dim) of the space."""

    def __init__(self, width: int, dim: int, seed: int = 0) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(width))
        self.matrix = nn.Parameter(torch.randn(dim, width, generator=seeded(seed)) * 0.01)

    def forward(self, registers: Tensor) -> Tensor:
        """What `Transform` of a bundle does, and the unit length."""
        return F.normalize((registers - self.mean) @ self.matrix.T, dim=-1)

    def tensors(self) -> dict[str, Tensor]:
        """`mean` and `matrix`, as a bundle's transform has them."""
        return {"mean": self.mean.detach().clone(), "matrix": self.matrix.detach().clone()}


def loss(vectors: Tensor, targets: Tensor, photos: Tensor) -> Tensor:
    """InfoNCE of unit vectors (B, dim), whose photos are rows of the targets (T, dim)."""
    return F.cross_entropy(vectors @ targets.T / TEMPERATURE, photos)


def fit(registers: Tensor, photos: Tensor, targets: Tensor, steps: int, seed: int = 0) -> Readout:
    """A readout for register tokens that stay as they are.

    Args:
        registers: (N, D).
        photos: (N,) the row of the targets that each belongs to.
        targets: (T, dim) unit vectors.
        steps: of 512 register tokens each.
        seed: of what is random.
    """
    spread = registers.std(0).clamp_min(1e-6)
    mean = registers.mean(0)
    readout = Readout(registers.shape[1], targets.shape[1], seed)
    with torch.no_grad():
        readout.mean.zero_()
    optimiser = torch.optim.AdamW([readout.matrix], lr=3e-3, weight_decay=0.1)
    generator = seeded(seed)
    points = (registers - mean) / spread
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps) + 1e-4
        rows = torch.randint(len(points), (512,), generator=generator)
        kept = torch.rand(512, points.shape[1], generator=generator) >= 0.3
        vectors = readout(points[rows] * kept / 0.7)
        optimiser.zero_grad()
        loss(vectors, targets, photos[rows]).backward()
        optimiser.step()
    with torch.no_grad():  # the spread goes into the matrix, so that nothing else is needed
        readout.mean.copy_(mean)
        readout.matrix.div_(spread)
    return readout
