"""One step of generating image tokens: ROAR and MaskGIT (4M-21 reference, sec. 4.3)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fourm.generation.branches import Branches
from fourm.generation.parts import Part
from fourm.generation.randomness import Randomness
from fourm.generation.schedule import Step
from fourm.transformer import FM


class Places(NamedTuple):
    """Some of the places of a target: (B, k) int64, each at most once in its row.

    Attributes:
        which: their numbers.
        filler: (B, k) bool, True = only there because another sample has more; None: none is.
    """

    which: Tensor
    filler: Tensor | None

    @classmethod
    def first(cls, order: Tensor, counts: Tensor) -> Places:
        """The first `counts` (B,) of each row of an order (B, n)."""
        most = int(counts.max()) if len(counts) else 0
        beyond = torch.arange(most, device=order.device) >= counts[:, None]
        return cls(order[:, :most], beyond if bool(beyond.any()) else None)


def image_step(
    model: FM,
    branches: Branches,
    part: Part,
    step: Step,
    randomness: Randomness,
    top_k: int | float = 0,
    top_p: float = 0.0,
) -> Part:
    """Predict some of the tokens that are still missing; the part with them.

    ROAR predicts places in a random order. MaskGIT predicts all places and keeps the tokens that
    it is surest of. Samples may miss different numbers of tokens; those that miss none stay.

    Args:
        model: the transformer.
        branches: what to condition on.
        part: the target as it stands.
        step: scheme, number of tokens, temperature.
        randomness: begun for this step.
        top_k, top_p: see `keep_likely`.
    """
    remaining = part.remaining
    counts = remaining if step.tokens is None else remaining.clamp(max=step.tokens)
    if not bool(counts.any()):
        return part
    if step.scheme == "maskgit":
        places = Places.first(
            part.target_mask.to(torch.uint8).argsort(dim=1, stable=True), remaining
        )
    else:
        order = randomness.order(part.target_mask.shape[1])
        places = Places.first(order.masked_fill(part.target_mask, torch.inf).argsort(dim=1), counts)
    logits = place_logits(model, branches, step.target, part, places)
    tokens, confidence = randomness.draw(logits, step.temperature, top_k, top_p, places.filler)
    if step.scheme == "maskgit":
        surest = Places.first(_surest_first(confidence, remaining, counts), counts)
        places = Places(places.which.gather(1, surest.which), surest.filler)
        tokens = tokens.gather(1, surest.which)
    return settle(part, places, tokens)


def _surest_first(confidence: Tensor, remaining: Tensor, counts: Tensor) -> Tensor:
    """Of each row the `counts` (B,) surest of its first `remaining` (B,) places, then the others.

    Of equals, which are common where top-p leaves one token, those that `topk` takes, as in the
    reference; row by row, for what it takes depends on the numbers of both.
    """
    rank = torch.arange(confidence.shape[1], device=confidence.device).repeat(len(confidence), 1)
    rank += confidence.shape[1]
    for row, (places, count) in enumerate(zip(remaining.tolist(), counts.tolist(), strict=True)):
        surest = confidence[row, :places].topk(count).indices
        rank[row, surest] = torch.arange(count, device=rank.device)
    return rank.argsort(dim=1)


def place_logits(model: FM, branches: Branches, target: str, part: Part, places: Places) -> Tensor:
    """Logits (B, k, V) of some places of a target as it stands, guidance included."""
    logits = [
        model.decode_logits(encoded, target, places.which, places.filler)
        for encoded in branches.encode(model, target, part)
    ]
    return branches.combine(logits)


def settle(part: Part, places: Places, tokens: Tensor) -> Part:
    """The part with tokens (B, k) at some places, which are inputs from now on."""
    index, filler = places
    known = torch.ones_like(index, dtype=torch.bool)
    if filler is not None:
        tokens = torch.where(filler, part.content.gather(1, index), tokens)
        known = part.target_mask.gather(1, index) | ~filler
    shown = ~known if filler is None else part.input_mask.gather(1, index) & filler
    return Part(
        part.content.scatter(1, index, tokens),
        part.input_mask.scatter(1, index, shown),
        part.target_mask.scatter(1, index, known),
    )
