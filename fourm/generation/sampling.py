"""Draw tokens from logits (4M-21 reference, sec. 4.3)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fourm.errors import BadInput

GREEDY = 1e-8
"""Temperatures below this one take the most likely token."""


class Draw(NamedTuple):
    """Tokens of k positions, (B, k) int64, and their probabilities, (B, k) float32 in 0..1."""

    tokens: Tensor
    confidence: Tensor


class TokenSampler:
    """Draws tokens, for each sample from a random stream of its own.

    At each step the stream of every sample is seeded with its seed plus the step's number, so that
    a sample does not depend on its batch. For one sample on the CPU the draws are those of the
    reference with that seed.

    Args:
        seed: random seed of all samples, or one for each. None: another one in each run.
        top_k, top_p: see `keep_likely`.
    """

    def __init__(
        self, seed: int | Sequence[int] | None = 0, top_k: int | float = 0, top_p: float = 0.0
    ) -> None:
        # Chosen once, not at each draw: all passes of a guided step share their random choices.
        self.seed = secrets.randbits(62) if seed is None else seed
        self.top_k, self.top_p = top_k, top_p
        self._streams: list[torch.Generator] = []

    def begin(self, step: int, batch: int, device: torch.device) -> None:
        """Seed the streams for a step.

        Raises:
            BadInput: not one seed for each sample.
        """
        seeds = [self.seed] * batch if isinstance(self.seed, int) else list(self.seed)
        if len(seeds) != batch:
            raise BadInput(f"expected one seed for each of {batch} samples, got {len(seeds)}")
        self._streams = [torch.Generator(device).manual_seed(seed + step) for seed in seeds]

    def order(self, count: int) -> Tensor:
        """Random numbers (B, count) float32 in 0..1, by which positions are ordered."""
        return torch.stack([torch.rand(count, generator=s, device=s.device) for s in self._streams])

    def draw(self, logits: Tensor, temperature: float, padding: Tensor | None = None) -> Draw:
        """Draw one token for each of k positions.

        Args:
            logits: (B, k, V).
            temperature: 0 is greedy decoding; its probabilities are those at temperature 1. A drawn
                token has the probability with which it was drawn.
            padding: (B, k) bool, True = ignored; the token there is 0.

        Raises:
            BadInput: a temperature below 0, or as `keep_likely`.
        """
        logits = logits.float()
        if 0 <= temperature < GREEDY:
            tokens = logits.argmax(dim=-1)
            return Draw(tokens, _at(logits.softmax(dim=-1), tokens))
        chances = probabilities(logits, temperature, self.top_k, self.top_p)
        tokens = torch.zeros_like(chances[..., 0], dtype=torch.int64)
        for row, stream in enumerate(self._streams):
            kept = slice(None) if padding is None else ~padding[row]
            if len(chances[row, kept]):
                drawn = torch.multinomial(chances[row, kept], 1, generator=stream)
                tokens[row, kept] = drawn.flatten()
        return Draw(tokens, _at(chances, tokens))


def probabilities(
    logits: Tensor, temperature: float, top_k: int | float = 0, top_p: float = 0.0
) -> Tensor:
    """Probabilities (..., V) of tokens: logits are filtered, then divided by the temperature.

    Raises:
        BadInput: a temperature that is not above 0, or as `keep_likely`.
    """
    if not temperature > 0:
        raise BadInput(f"temperature must be > 0, got {temperature}")
    return (keep_likely(logits, top_k, top_p) / temperature).softmax(dim=-1)


def keep_likely(logits: Tensor, top_k: int | float = 0, top_p: float = 0.0) -> Tensor:
    """Set the logits (..., V) of unlikely tokens to -inf.

    Args:
        logits: not divided by a temperature.
        top_k: keep the k largest and all equal to the k-th; a float is a fraction of V; 0: all.
        top_p: then keep the fewest tokens whose probabilities add up to more than p; 0: all.

    Raises:
        BadInput: top_k below 0, or top_p outside 0..1.
    """
    if top_k < 0:
        raise BadInput(f"top_k must be >= 0, got {top_k}")
    if not 0 <= top_p <= 1:
        raise BadInput(f"top_p must be between 0 and 1, got {top_p}")
    vocabulary = logits.shape[-1]
    if top_k:
        k = int(top_k * vocabulary) if isinstance(top_k, float) else top_k
        smallest = logits.topk(min(max(k, 1), vocabulary), dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    if top_p:
        ordered, order = logits.sort(dim=-1, descending=True)
        passed = ordered.softmax(dim=-1).cumsum(dim=-1) > top_p
        # The first token past p is kept, so each is judged by the sum before it.
        passed = passed.roll(1, dims=-1)
        passed[..., 0] = False
        logits = logits.masked_fill(passed.scatter(-1, order, passed), -torch.inf)
    return logits


def _at(chances: Tensor, tokens: Tensor) -> Tensor:
    return chances.gather(-1, tokens[..., None])[..., 0]
