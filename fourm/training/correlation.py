"""Closed-form maps between views of the same photos: canonical correlation and regression.

Views are half-whitened first: their principal components are divided by the square root of their
standard deviations. Ridges are added to variances, in multiples of their mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Linear:
    """x -> matrix @ (x - mean), all float32.

    Attributes:
        mean: (n,).
        matrix: (dim, n).
    """

    mean: Tensor
    matrix: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """(N, n) -> (N, dim)."""
        return (x - self.mean) @ self.matrix.T

    def after(self, first: Linear) -> Linear:
        """The map that applies `first`, then this one, whose mean must be 0."""
        return Linear(first.mean, self.matrix @ first.matrix)


def half_whitening(x: Tensor, weights: Tensor, most: int, seed: int = 0) -> Linear:
    """The map to half-whitened principal components.

    Args:
        x: (N, n).
        weights: (N,), how much each row counts.
        most: components to keep.
        seed: of the randomised decomposition.
    """
    share = (weights / weights.sum())[:, None]
    mean = (x * share).sum(0)
    torch.manual_seed(seed)
    scaled = (x - mean) * share.sqrt()
    kept = min(most, x.shape[1], max(1, len(x) - 1))
    _, spread, vectors = torch.svd_lowrank(scaled, q=kept, niter=2)
    spread = spread.clamp_min(spread[0].clamp_min(1e-6) * 1e-3)
    return Linear(mean, (vectors * spread.rsqrt()).T.contiguous())


def correlated(
    x: Tensor, y: Tensor, pairs: Tensor, weights: Tensor, dim: int, ridge: float
) -> tuple[Linear, Linear]:
    """The `dim` most correlated directions of two views, each scaled by its correlation.

    Args:
        x: (N, n) components, as `half_whitening` gives them.
        y: (M, m), likewise; several rows may belong to one of `x`.
        pairs: (M,), the row of `x` of each.
        weights: (M,), how much each pair counts.
        dim: at most min(n, m).
        ridge: of both views.

    Returns:
        A map of each view, of mean 0.
    """
    share = weights / weights.sum()
    of_x = torch.zeros(len(x)).index_add_(0, pairs, share)
    spread_x = (x * x * of_x[:, None]).sum(0)
    spread_y = (y * y * share[:, None]).sum(0)
    full_x = (spread_x + ridge * spread_x.mean()).rsqrt()
    full_y = (spread_y + ridge * spread_y.mean()).rsqrt()
    sums = torch.zeros(len(x), y.shape[1]).index_add_(0, pairs, y * share[:, None])
    between = full_x[:, None] * (x.T @ sums) * full_y
    left, correlation, right = torch.linalg.svd(between, full_matrices=False)
    scale = correlation[:dim, None]
    return (
        Linear(torch.zeros(x.shape[1]), scale * left.T[:dim] * full_x),
        Linear(torch.zeros(y.shape[1]), scale * right[:dim] * full_y),
    )


def aligned(x: Tensor, targets: Tensor, weights: Tensor, ridge: float) -> Linear:
    """A map of x into the fixed space of targets, for comparison by inner product.

    The inner product of its result with a target is that of both views' canonical directions. A
    regression would leave out what varies little among targets but tells them apart.

    Args:
        x: (N, n) components, as `half_whitening` gives them.
        targets: (N, dim).
        weights: (N,).
        ridge: of both views.

    Returns:
        A map of mean 0 to `dim` values.
    """
    first = half_whitening(targets, weights, targets.shape[1])
    rows = torch.arange(len(x))
    seen = first(targets)
    least = min(seen.shape[1], x.shape[1])
    of_targets, of_x = correlated(seen, x, rows, weights, least, ridge)
    back = (of_targets.matrix @ first.matrix).T
    return Linear(torch.zeros(x.shape[1]), back @ of_x.matrix)


def regressed(x: Tensor, targets: Tensor, weights: Tensor, ridge: float) -> Linear:
    """Ridge regression of targets (N, dim), less their mean, on half-whitened components (N, n)."""
    share = (weights / weights.sum())[:, None]
    spread = (x * x * share).sum(0)
    wanted = targets - (targets * share).sum(0)
    slope = (x.T @ (wanted * share)) / (spread + ridge * spread.mean())[:, None]
    return Linear(torch.zeros(x.shape[1]), slope.T.contiguous())
