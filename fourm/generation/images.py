"""One step of generating image tokens: ROAR and MaskGIT (4M-21 reference, sec. 4.3)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fourm.generation.guidance import Branches
from fourm.generation.sampling import TokenSampler
from fourm.generation.schedule import Step
from fourm.generation.states import ModalityState
from fourm.transformer import FM


class TokenPositions(NamedTuple):
    """Positions of k tokens of a target, each at most once in its row.

    Attributes:
        indices: (B, k) int64.
        padding: (B, k) bool, True = ignored, since another sample has more; None: none is.
    """

    indices: Tensor
    padding: Tensor | None

    @classmethod
    def first(cls, order: Tensor, counts: Tensor) -> TokenPositions:
        """The first `counts` (B,) of each row of `order` (B, n)."""
        most = int(counts.max()) if len(counts) else 0
        beyond = torch.arange(most, device=order.device) >= counts[:, None]
        return cls(order[:, :most], beyond if bool(beyond.any()) else None)


def image_step(
    model: FM, branches: Branches, state: ModalityState, step: Step, sampler: TokenSampler
) -> ModalityState:
    """Predict some of the missing tokens.

    ROAR predicts positions in a random order. MaskGIT predicts all missing tokens and keeps those
    of the highest probability. Samples may miss different numbers of tokens.

    Args:
        model: the transformer.
        branches: the passes.
        state: what is known of the target.
        step: scheme, number of tokens, temperature.
        sampler: after `begin` for this step.

    Returns:
        The target with the predicted tokens.
    """
    remaining = state.remaining
    counts = remaining if step.tokens is None else remaining.clamp(max=step.tokens)
    if not bool(counts.any()):
        return state
    if step.scheme == "maskgit":
        order = state.target_mask.to(torch.uint8).argsort(dim=1, stable=True)
        positions = TokenPositions.first(order, remaining)
    else:
        order = sampler.order(state.target_mask.shape[1])
        order = order.masked_fill(state.target_mask, torch.inf).argsort(dim=1)
        positions = TokenPositions.first(order, counts)
    logits = position_logits(model, branches, step.target, state, positions)
    tokens, confidence = sampler.draw(logits, step.temperature, positions.padding)
    if step.scheme == "maskgit":
        kept = TokenPositions.first(_most_confident_first(confidence, remaining, counts), counts)
        positions = TokenPositions(positions.indices.gather(1, kept.indices), kept.padding)
        tokens = tokens.gather(1, kept.indices)
    return with_tokens(state, positions, tokens)


def _most_confident_first(confidence: Tensor, remaining: Tensor, counts: Tensor) -> Tensor:
    """Of each row the `counts` (B,) most confident of the first `remaining` (B,), then the others.

    Ties, which are common where top-p leaves one token, are broken by `topk` as in the reference;
    row by row, since its choice depends on both numbers.
    """
    rank = torch.arange(confidence.shape[1], device=confidence.device).repeat(len(confidence), 1)
    rank += confidence.shape[1]
    for row, (total, count) in enumerate(zip(remaining.tolist(), counts.tolist(), strict=True)):
        best = confidence[row, :total].topk(count).indices
        rank[row, best] = torch.arange(count, device=rank.device)
    return rank.argsort(dim=1)


def position_logits(
    model: FM, branches: Branches, target: str, state: ModalityState, positions: TokenPositions
) -> Tensor:
    """Guided logits (B, k, V) of some tokens of a target."""
    logits = [
        model.decode_logits(encoded, target, positions.indices, positions.padding)
        for encoded in branches.encode(model, target, state)
    ]
    return branches.combine(logits)


def with_tokens(state: ModalityState, positions: TokenPositions, tokens: Tensor) -> ModalityState:
    """The target with tokens (B, k) at some positions, which are inputs of later steps."""
    index, padding = positions
    known = torch.ones_like(index, dtype=torch.bool)
    if padding is not None:
        tokens = torch.where(padding, state.content.gather(1, index), tokens)
        known = state.target_mask.gather(1, index) | ~padding
    masked = ~known if padding is None else state.input_mask.gather(1, index) & padding
    return ModalityState(
        state.content.scatter(1, index, tokens),
        state.input_mask.scatter(1, index, masked),
        state.target_mask.scatter(1, index, known),
    )
