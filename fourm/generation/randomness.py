"""Random orders and draws, each sample from a stream of its own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fourm.errors import BadInput
from fourm.generation.sampling import keep_likely

GREEDY = 1e-8


class Draw(NamedTuple):
    """Tokens of k places, (B, k) int64, and how sure they are, (B, k) float32 in 0..1."""

    tokens: Tensor
    confidence: Tensor


class Randomness:
    """The random choices of a generation, told apart by sample and step.

    At each step every sample's stream starts anew at its seed plus the step's number, so that a
    sample does not depend on its batch. One sample on the CPU is given what the reference draws
    with that seed (4M-21 reference, sec. 4.3).

    Args:
        seed: for all samples, or one for each. None: unlike any other run.
    """

    def __init__(self, seed: int | Sequence[int] | None = 0) -> None:
        # Settled here and not at each draw: all branches of a guided step share their choices.
        self.seed = secrets.randbits(62) if seed is None else seed
        self._streams: list[torch.Generator] = []

    def begin(self, step: int, batch: int, device: torch.device) -> None:
        """Start the streams of a step.

        Raises:
            BadInput: not one seed for each sample.
        """
        seeds = [self.seed] * batch if isinstance(self.seed, int) else list(self.seed)
        if len(seeds) != batch:
            raise BadInput(f"{len(seeds)} seeds were given for {batch} samples")
        self._streams = [torch.Generator(device).manual_seed(seed + step) for seed in seeds]

    def order(self, places: int) -> Tensor:
        """A random rank for each place, (B, places) float32."""
        return torch.stack(
            [torch.rand(places, generator=s, device=s.device) for s in self._streams]
        )

    def draw(
        self,
        logits: Tensor,
        temperature: float,
        top_k: int | float = 0,
        top_p: float = 0.0,
        filler: Tensor | None = None,
    ) -> Draw:
        """One token for each of k places.

        Args:
            logits: (B, k, V).
            temperature: 0 takes the likeliest token, which is as sure as its probability at
                temperature 1; a drawn one is as sure as the probability it was drawn with.
            top_k, top_p: see `keep_likely`.
            filler: (B, k) bool, True = a place that is only there to fill up; it is given token 0.
        """
        logits = logits.float()
        if temperature < GREEDY:
            tokens = logits.argmax(dim=-1)
            return Draw(tokens, _taken(logits.softmax(dim=-1), tokens))
        chances = chances_of(logits, temperature, top_k, top_p)
        tokens = torch.zeros_like(chances[..., 0], dtype=torch.int64)
        for row, stream in enumerate(self._streams):
            wanted = slice(None) if filler is None else ~filler[row]
            if len(chances[row, wanted]):
                drawn = torch.multinomial(chances[row, wanted], 1, generator=stream)
                tokens[row, wanted] = drawn.flatten()
        return Draw(tokens, _taken(chances, tokens))


def chances_of(
    logits: Tensor, temperature: float, top_k: int | float = 0, top_p: float = 0.0
) -> Tensor:
    """Probabilities (..., V) that tokens are drawn with: filtered first, tempered after."""
    return (keep_likely(logits, top_k, top_p) / temperature).softmax(dim=-1)


def _taken(chances: Tensor, tokens: Tensor) -> Tensor:
    return chances.gather(-1, tokens[..., None])[..., 0]
