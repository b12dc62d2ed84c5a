"""The steps in which modalities are generated (4M-21 reference, sec. 4.2)."""

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

MIN_TEMPERATURE = 1e-9


@dataclass(frozen=True)
class TargetSchedule:
    """How one modality is generated.

    Attributes:
        name: a modality that the model predicts.
        tokens: number of tokens to predict; None for a sequence.
        scheme: `roar` predicts tokens in a random order, `maskgit` keeps the most confident ones,
            `autoregressive` (sequences) predicts one after another.
        steps: decoding steps of `roar` and `maskgit`.
        split: number of tokens of each step: `linear`, or `cosine` (`maskgit`), with fewer in the
            first and last ones.
        temperature: of the first step; 0 takes the most likely token.
        temperature_schedule: `constant`, `linear`, or `onex:<min>:<power>`, see `temperatures`.
        guidance: classifier-free guidance scale; 1 disables it. Several: one weight for each
            condition of a weighted generation.
    """

    name: str
    tokens: int | None = None
    scheme: Scheme = "roar"
    steps: int = 1
    split: Split = "linear"
    temperature: float = 1.0
    temperature_schedule: str = "constant"
    guidance: float | Sequence[float] = 1.0


@dataclass(frozen=True)
class Step:
    """One step of a generation.

    Attributes:
        target: the modality to predict.
        scheme: see `TargetSchedule`.
        tokens: number of tokens to predict; None: all, or a whole sequence.
        temperature: of sampling.
        guidance: scale, or a weight for each condition of a weighted generation.
        conditions: modalities that the unconditional pass is not given.
    """

    target: str
    scheme: Scheme
    tokens: int | None
    temperature: float
    guidance: float | tuple[float, ...] = 1.0
    conditions: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse a step that is invalid for any model.

        Raises:
            BadInput: an unknown scheme, or numbers out of range.
        """
        _check_scheme(self.scheme)
        _check_temperature(self.temperature)
        if self.tokens is not None and self.tokens < 0:
            raise BadInput(f"{self.target}: tokens must be >= 0, got {self.tokens}")
        weights = self.guidance if isinstance(self.guidance, tuple) else (self.guidance,)
        if not all(math.isfinite(weight) for weight in weights):
            raise BadInput(f"{self.target}: guidance must be finite, got {self.guidance}")


def build_schedule(
    targets: Iterable[TargetSchedule], conditions: Sequence[str] = (), grow: bool = True
) -> list[Step]:
    """The steps of several targets, one target after the other.

    Args:
        targets: in the order of generation; each is conditioned on those before it.
        conditions: modalities that the unconditional pass of guidance is not given.
        grow: add finished targets of image tokens to the conditions. (A finished sequence is not
            added, as in the reference.)

    Raises:
        BadInput: numbers out of range, or an unknown scheme, split or temperature schedule.
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
            raise BadInput(f"{target.name}: {target.scheme} needs a number of tokens")
        if target.scheme == "roar" and target.split != "linear":
            raise BadInput(f"{target.name}: split of roar must be linear, got {target.split!r}")
        counts = tokens_per_step(target.tokens, target.steps, target.split)
        values = temperatures(target.temperature, counts, target.temperature_schedule)
        steps += [
            Step(target.name, target.scheme, count, value, guidance, known)
            for count, value in zip(counts, values, strict=True)
        ]
        if grow:
            known = (*known, target.name)
    return steps


def tokens_per_step(tokens: int, steps: int, split: Split = "linear") -> list[int]:
    """The number of tokens of each step; their sum is `tokens`.

    `linear`: as equal as possible, the larger first; steps without tokens are left out. `cosine`:
    few, many, few; steps may have none.

    Raises:
        BadInput: numbers below 1, or an unknown split.
    """
    if tokens < 1:
        raise BadInput(f"tokens must be >= 1, got {tokens}")
    if steps < 1:
        raise BadInput(f"steps must be >= 1, got {steps}")
    if split == "linear":
        # numpy, as in the reference: a bound just below an integer is rounded down.
        bounds = [int(bound) for bound in np.linspace(0, tokens, steps + 1)]
        counts = [high - low for low, high in pairwise(bounds)]
        return [count for count in sorted(counts, reverse=True) if count]
    if split == "cosine":
        left = [(1 + math.cos(math.pi * step / steps)) / 2 for step in range(steps)]
        counts = [round((a - b) * tokens) for a, b in pairwise(left)]
        bounds = [min(sum(counts[:step]), tokens) for step in range(steps)]
        return [high - low for low, high in zip(bounds, [*bounds[1:], tokens], strict=True)]
    raise BadInput(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")


def temperatures(
    temperature: float, counts: Sequence[int], schedule: str = "constant"
) -> list[float]:
    """The temperature of each step.

    Args:
        temperature: of the first step (`onex`: nearly).
        counts: number of tokens of each step.
        schedule: `constant`; `linear`, proportional to the number of remaining tokens; or
            `onex:<min>:<power>`, decreasing to min along 1 / x^power.

    Raises:
        BadInput: a negative temperature, or an unknown schedule.
    """
    _check_temperature(temperature)
    total = sum(counts)
    if schedule == "constant":
        return [float(temperature)] * len(counts)
    if schedule == "linear":
        left = [total - sum(counts[:step]) for step in range(len(counts))]
        return [max(temperature * value / total, MIN_TEMPERATURE) for value in left]
    name, *numbers = schedule.split(":")
    try:
        lowest, power = (float(number) for number in numbers)
    except ValueError:
        name = ""
    if name != "onex" or not (lowest >= 0 and power > 0):
        raise BadInput(
            f"temperature schedule must be constant, linear or onex:<min>:<power>, got {schedule!r}"
        )
    # As in the reference, the curve has a point for each token, and steps use the first points.
    spread = [1 / (1 + 99 * i / max(total - 1, 1)) ** power for i in range(total)]
    low = spread[-1] if total > 1 else 0.0
    values = []
    for step in range(len(counts)):
        curve = (spread[min(step, total - 1)] - low) / (spread[0] - low)
        left_over = 1 - sum(counts[: step + 1]) / total
        values.append(max(lowest + (temperature - lowest) * curve * left_over, MIN_TEMPERATURE))
    return values


def _check_scheme(scheme: str) -> None:
    if scheme not in get_args(Scheme):
        raise BadInput(f"scheme must be one of {', '.join(get_args(Scheme))}, got {scheme!r}")


def _check_temperature(temperature: float) -> None:
    if not 0 <= temperature < math.inf:
        raise BadInput(f"temperature must be >= 0, got {temperature}")
