"""Linear probes: from the encoder's register token straight into a space."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.training.optim import info_nce
from fourm.training.run import seeded


class LinearProbe(nn.Module):
    """Register tokens (B, width) -> unit vectors (B, dim) of the space."""

    def __init__(self, width: int, dim: int, seed: int = 0) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(width))
        self.matrix = nn.Parameter(torch.randn(dim, width, generator=seeded(seed)) * 0.01)

    def forward(self, registers: Tensor) -> Tensor:
        """Subtract the mean, project, normalise."""
        return F.normalize((registers - self.mean) @ self.matrix.T, dim=-1)

    def tensors(self) -> dict[str, Tensor]:
        """`mean` (width,) and `matrix` (dim, width), as a model folder stores a transform."""
        return {"mean": self.mean.detach().clone(), "matrix": self.matrix.detach().clone()}


def fit_probe(
    registers: Tensor, rows: Tensor, targets: Tensor, steps: int, seed: int = 0
) -> LinearProbe:
    """Fit a probe to the outputs of a frozen encoder by InfoNCE.

    Args:
        registers: (N, width) register tokens.
        rows: (N,) the target of each.
        targets: (T, dim) unit vectors.
        steps: batches of 512 register tokens.
        seed: random seed.
    """
    spread = registers.std(0).clamp_min(1e-6)
    mean = registers.mean(0)
    probe = LinearProbe(registers.shape[1], targets.shape[1], seed)
    with torch.no_grad():
        probe.mean.zero_()
    optimiser = torch.optim.AdamW([probe.matrix], lr=3e-3, weight_decay=0.1)
    generator = seeded(seed)
    points = (registers - mean) / spread
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps) + 1e-4
        batch = torch.randint(len(points), (512,), generator=generator)
        kept = torch.rand(512, points.shape[1], generator=generator) >= 0.3
        vectors = probe(points[batch] * kept / 0.7)
        optimiser.zero_grad()
        info_nce(vectors, targets, rows[batch]).backward()
        optimiser.step()
    with torch.no_grad():  # fold the standardisation into the probe
        probe.mean.copy_(mean)
        probe.matrix.div_(spread)
    return probe
