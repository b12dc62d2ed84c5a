"""Drawing tokens from logits (4M-21 reference, sec. 4.3)."""

from __future__ import annotations

import torch
from torch import Tensor

from fourm.errors import BadInput


def keep_likely(logits: Tensor, top_k: int | float = 0, top_p: float = 0.0) -> Tensor:
    """Logits (..., V) with the unlikely set to -inf; judged at temperature 1.

    Args:
        logits: before any temperature.
        top_k: keep the k largest and whatever equals the k-th; a float is a share of V; 0: all.
        top_p: after that, keep the fewest whose probabilities sum up to more than p; 0: all.

    Raises:
        BadInput: top_k below 0, or top_p outside 0..1.
    """
    if top_k < 0 or not 0 <= top_p <= 1:
        raise BadInput(f"top_k must not be negative and top_p lies in 0..1, not {top_k}, {top_p}")
    vocabulary = logits.shape[-1]
    if top_k:
        k = int(top_k * vocabulary) if isinstance(top_k, float) else top_k
        smallest = logits.topk(min(max(k, 1), vocabulary), dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    if top_p:
        ordered, order = logits.sort(dim=-1, descending=True)
        passed = ordered.softmax(dim=-1).cumsum(dim=-1) > top_p
        # The first one past p stays, so each is judged by the sum before it.
        passed = passed.roll(1, dims=-1)
        passed[..., 0] = False
        logits = logits.masked_fill(passed.scatter(-1, order, passed), -torch.inf)
    return logits


def draw(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | float = 0,
    top_p: float = 0.0,
    seed: int = 0,
) -> Tensor:
    """One token for each place: logits (B, n, V) -> int64 (B, n).

    Temperature 0 takes the most likely. Every sample is drawn from a random stream of its own that
    starts at `seed`, so that it does not depend on its batch; one sample on the CPU is given the
    tokens that the reference's one-step ROAR generation draws with that seed.

    Raises:
        BadInput: temperature below 0, or as `keep_likely`.
    """
    if temperature < 0:
        raise BadInput(f"temperature must not be negative: {temperature}")
    if temperature < 1e-8:
        return logits.argmax(dim=-1)
    likely = keep_likely(logits.float(), top_k, top_p)
    probabilities = (likely / temperature).softmax(dim=-1)
    drawn = torch.empty(logits.shape[:2], dtype=torch.int64, device=logits.device)
    for tokens, chances in zip(drawn, probabilities, strict=True):
        stream = torch.Generator(device=logits.device).manual_seed(seed)
        order = torch.rand(len(chances), generator=stream, device=logits.device).argsort()
        tokens[order] = torch.multinomial(chances[order], 1, generator=stream).flatten()
    return drawn
