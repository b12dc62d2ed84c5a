"""Making an id as frequent among the likeliest as it is in the data.

Where most is uncertain, the likeliest id is the most frequent one nearly everywhere: no line in a
drawing, the end of a list of boxes. Its logit is lowered by a constant, so that greedy decoding
predicts it as often as it occurs. Logits have no bias: the constant is written into the row of the
id, along the direction in which what the decoder makes of all tokens varies least.
"""

from __future__ import annotations

import torch
from torch import Tensor

MOST = 20.0
"""Largest change of a logit."""

RIDGE = 1e-4


@torch.no_grad()
def balanced(rows: Tensor, hidden: Tensor, wanted: Tensor, number: int) -> Tensor:
    """Rows of logits (V, dim) with another row for one id.

    Args:
        rows: (V, dim).
        hidden: (n, dim), what the decoder makes of some tokens.
        wanted: (n,) their ids.
        number: id that should be the likeliest as often as it is wanted.
    """
    moment = hidden.T @ hidden / len(hidden)
    moment = moment + RIDGE * moment.diagonal().mean() * torch.eye(len(moment))
    direction = torch.linalg.solve(moment, hidden.mean(0))
    direction = direction / (hidden @ direction).mean()
    logits, shift = hidden @ rows.T, hidden @ direction
    share = (wanted == number).float().mean()
    low, high = -MOST, MOST
    for _ in range(30):
        middle = (low + high) / 2
        changed = logits.clone()
        changed[:, number] += middle * shift
        if (changed.argmax(1) == number).float().mean() > share:
            high = middle
        else:
            low = middle
    result = rows.clone()
    result[number] += (low + high) / 2 * direction
    return result
