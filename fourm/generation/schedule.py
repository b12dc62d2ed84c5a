"""In what steps targets are generated (4M-21 reference, sec. 4.2)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from fourm.errors import BadInput

Scheme = Literal["roar", "maskgit", "autoregressive"]
Split = Literal["linear", "cosine"]

COLDEST = 1e-9


@dataclass(frozen=True)
class Target:
    """How one modality is to be generated.

    Attributes:
        name: a modality the model predicts.
        tokens: how many tokens, as many as are to be predicted; a sequence has no number.
        scheme: `roar` predicts tokens in a random order, `maskgit` keeps those it is surest of,
            `autoregressive` (sequences) predicts one after another.
        steps: encoder-decoder passes of `roar` and `maskgit`.
        split: tokens a step: `linear`, or `cosine` (`maskgit`), fewer in the first and last ones.
        temperature: 0 takes the likeliest token.
        cooling: `constant`, `linear`, or `onex:<min>:<power>`, see `temperatures`.
        guidance: 1 is none; above it, further away from what the model would predict without the
            conditions. Several: one weight for each condition of a weighted generation.
    """

    name: str
    tokens: int | None = None
    scheme: Scheme = "roar"
    steps: int = 1
    split: Split = "linear"
    temperature: float = 1.0
    cooling: str = "constant"
    guidance: float | Sequence[float] = 1.0


@dataclass(frozen=True)
class Step:
    """One step of a generation.

    Attributes:
        target: modality.
        scheme: see `Target`.
        tokens: how many to predict now; None: a whole sequence.
        temperature: of the draws.
        guidance: scale, or a weight for each condition of a weighted generation.
        conditions: modalities that are emptied for the pass without conditions.
    """

    target: str
    scheme: Scheme
    tokens: int | None
    temperature: float
    guidance: float | tuple[float, ...] = 1.0
    conditions: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse a step that no model could take.

        Raises:
            BadInput: an unknown scheme, or numbers out of range.
        """
        _check_scheme(self.scheme)
        _check_temperature(self.temperature)
        if self.tokens is not None and self.tokens < 0:
            raise BadInput(f"{self.target}: a step predicts 0 tokens or more, not {self.tokens}")
        weights = self.guidance if isinstance(self.guidance, tuple) else (self.guidance,)
        if not all(math.isfinite(weight) for weight in weights):
            raise BadInput(f"{self.target}: guidance must be finite, not {self.guidance}")


def build_schedule(
    targets: Iterable[Target], conditions: Sequence[str] = (), grow: bool = True
) -> list[Step]:
    """The steps of several targets, one target after the other.

    Args:
        targets: in the order of generation; each sees those before it.
        conditions: modalities that guidance empties.
        grow: whether a finished image-kind target becomes one of them. (A finished sequence does
            not, as in the reference.)

    Raises:
        BadInput: numbers out of range, or words that are none of those known.
    """
    steps: list[Step] = []
    known = tuple(conditions)
    for target in targets:
        scale = target.guidance
        guidance = float(scale) if isinstance(scale, int | float) else tuple(map(float, scale))
        if target.scheme == "autoregressive":
            _check_temperature(target.temperature)
            steps.append(
                Step(target.name, target.scheme, None, target.temperature, guidance, known)
            )
            continue
        _check_scheme(target.scheme)
        if target.tokens is None:
            raise BadInput(f"{target.name}: {target.scheme} needs the number of tokens")
        if target.scheme == "roar" and target.split != "linear":
            raise BadInput(f"{target.name}: roar splits its tokens linearly, not {target.split!r}")
        counts = tokens_per_step(target.tokens, target.steps, target.split)
        heat = temperatures(target.temperature, counts, target.cooling)
        steps += [
            Step(target.name, target.scheme, count, value, guidance, known)
            for count, value in zip(counts, heat, strict=True)
        ]
        if grow:
            known = (*known, target.name)
    return steps


def tokens_per_step(tokens: int, steps: int, split: Split = "linear") -> list[int]:
    """How many of `tokens` each step predicts; they add up to all.

    `linear`: as equal as can be, the larger first, and no step without any. `cosine`: few, many,
    few; steps may have none.

    Raises:
        BadInput: numbers below 1, or another word for `split`.
    """
    if tokens < 1 or steps < 1:
        raise BadInput(f"tokens and steps are at least 1, not {tokens} and {steps}")
    if split == "linear":
        # numpy, as in the reference: a bound just below a whole number is cut to the one before.
        bounds = [int(bound) for bound in np.linspace(0, tokens, steps + 1)]
        counts = [high - low for low, high in pairwise(bounds)]
        return [count for count in sorted(counts, reverse=True) if count]
    if split == "cosine":
        left = [(1 + math.cos(math.pi * step / steps)) / 2 for step in range(steps)]
        counts = [round((a - b) * tokens) for a, b in pairwise(left)]
        bounds = [min(sum(counts[:step]), tokens) for step in range(steps)]
        return [high - low for low, high in zip(bounds, [*bounds[1:], tokens], strict=True)]
    raise BadInput(f"split is one of {', '.join(get_args(Split))}, not {split!r}")


def temperatures(
    temperature: float, counts: Sequence[int], cooling: str = "constant"
) -> list[float]:
    """The temperature of each step.

    Args:
        temperature: of the first step (`onex`: nearly).
        counts: tokens of each step.
        cooling: `constant`; `linear`, in proportion to the tokens that are left; or
            `onex:<min>:<power>`, faster at first, down to min, along 1 / x^power.

    Raises:
        BadInput: a negative temperature, or another word for `cooling`.
    """
    _check_temperature(temperature)
    total = sum(counts)
    if cooling == "constant":
        return [float(temperature)] * len(counts)
    if cooling == "linear":
        left = [total - sum(counts[:step]) for step in range(len(counts))]
        return [max(temperature * value / total, COLDEST) for value in left]
    word, *numbers = cooling.split(":")
    try:
        lowest, power = (float(number) for number in numbers)
    except ValueError:
        word = ""
    if word != "onex" or not (lowest >= 0 and power > 0):
        raise BadInput(f"cooling is constant, linear or onex:<min>:<power>, not {cooling!r}")
    # The curve has a point for each token, but steps walk along its first points.
    spread = [1 / (1 + 99 * i / max(total - 1, 1)) ** power for i in range(total)]
    low = spread[-1] if total > 1 else 0.0
    heat = []
    for step in range(len(counts)):
        curve = (spread[min(step, total - 1)] - low) / (spread[0] - low)
        left_over = 1 - sum(counts[: step + 1]) / total
        heat.append(max(lowest + (temperature - lowest) * curve * left_over, COLDEST))
    return heat


def _check_scheme(scheme: str) -> None:
    if scheme not in get_args(Scheme):
        raise BadInput(f"scheme is one of {', '.join(get_args(Scheme))}, not {scheme!r}")


def _check_temperature(temperature: float) -> None:
    if not 0 <= temperature < math.inf:
        raise BadInput(f"a temperature is 0 or above, not {temperature}")
