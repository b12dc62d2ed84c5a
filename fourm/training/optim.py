"""What training loops share: the loss, the schedule, the moving average, settings for CPUs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

TEMPERATURE = 0.05


def info_nce(
    vectors: Tensor, targets: Tensor, rows: Tensor, groups: Tensor | None = None
) -> Tensor:
    """InfoNCE of queries against all targets of the training set, at temperature 0.05.

    Args:
        vectors: (B, D) unit vectors.
        targets: (T, D) unit vectors.
        rows: (B,) the target of each query.
        groups: (T,) group of each target; other targets of a query's own group, such as crops of
            the same photo, are no negatives.
    """
    logits = vectors @ targets.T / TEMPERATURE
    if groups is not None:
        own = F.one_hot(rows, len(targets)).bool()
        same = groups[None, :] == groups[rows][:, None]
        logits = logits.masked_fill(same & ~own, -1e4)
    return F.cross_entropy(logits, rows)


def warm_up_cosine(step: int, steps: int, warm_up: int) -> float:
    """Factor of the learning rate: a linear warm-up, then a cosine down to 1/50."""
    return min(1.0, (step + 1) / warm_up) * (0.51 + 0.49 * math.cos(math.pi * step / steps))


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Exponential moving average of the trainable parameters, in place."""
    for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
        if fast.requires_grad:
            slow.lerp_(fast, 1 - decay)


def plain_attention() -> AbstractContextManager[None]:
    """Attention without fused kernels, whose backward pass is slow on CPUs at short lengths."""
    return sdpa_kernel(SDPBackend.MATH)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Flush denormal floats to zero; the setting is process-wide, so it is reset at the end."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
