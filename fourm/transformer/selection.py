"""Which tokens a model attends to, and in what order (4M-21 reference, sec. 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor


def visible_first(masked: Tensor, keep: int | None = None) -> tuple[Tensor, Tensor | None]:
    """Order tokens so that the visible ones come first, and drop the others.

    Args:
        masked: (B, N) bool, True = ignored.
        keep: maximum number of tokens; default: the largest number of visible tokens of a sample.

    Returns:
        order: (K,) int64 if every sample keeps the same positions, else (B, K).
        masked: (B, K) bool of the tokens kept, or None if all of them are visible.
    """
    first = masked[0] if len(masked) else masked.new_zeros(masked.shape[1])
    if bool((masked == first).all()):
        order = torch.nonzero(~first).flatten()
        if keep is None or len(order) >= keep:
            return order[:keep], None
    most = int((~masked).sum(dim=1).max()) if keep is None else min(keep, masked.shape[1])
    order = masked.to(torch.uint8).argsort(dim=1, stable=True)[:, :most]
    return order, masked.gather(1, order)


def take(values: Tensor, order: Tensor) -> Tensor:
    """Gather `values` (B, N, ...) by an order (K,) or (B, K): (B, K, ...)."""
    if order.dim() == 1:
        if len(order) == values.shape[1]:
            return values
        return values.index_select(1, order)
    index = order.reshape(*order.shape, *[1] * (values.dim() - 2))
    return values.gather(1, index.expand(-1, -1, *values.shape[2:]))
