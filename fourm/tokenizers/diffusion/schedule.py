"""Noise schedules and the timesteps of sampling (4M-21 reference, sec. 3.6)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fourm.errors import BadInput, ConfigError

Spacing = Literal["trailing", "leading", "linspace"]
_SHIFTED = "shifted_cosine:"
_LARGEST_LOG_SNR = 15.0


@dataclass(frozen=True)
class NoiseSchedule:
    """The signal that remains after each noising step.

    Attributes:
        kept: (T,) float32, cumulative product of alphas (alpha-bar), from nearly 1 to nearly or
            exactly 0.
    """

    kept: Tensor

    @classmethod
    def named(cls, name: str, steps: int, zero_terminal_snr: bool = False) -> NoiseSchedule:
        """`linear`, `scaled_linear`, `squaredcos_cap_v2` or `shifted_cosine:<shift>`.

        Args:
            name: the family.
            steps: T, the number of noising steps in training.
            zero_terminal_snr: rescale it to zero signal after the last step (`shifted_cosine` has
                zero terminal SNR by itself).

        Raises:
            ConfigError: an unknown name, or a shift that is not positive.
        """
        if name.startswith(_SHIFTED):
            return cls(_shifted_cosine(name.removeprefix(_SHIFTED), steps))
        if name == "linear":
            betas = torch.linspace(1e-4, 0.02, steps)
        elif name == "scaled_linear":
            betas = torch.linspace(1e-4**0.5, 0.02**0.5, steps).square()
        elif name == "squaredcos_cap_v2":
            betas = _squared_cosine(steps)
        else:
            raise ConfigError(
                f"beta_schedule {name!r} is not known: linear, scaled_linear, squaredcos_cap_v2 "
                f"or {_SHIFTED}<shift>"
            )
        if zero_terminal_snr:
            betas = _without_last_signal(betas)
        return cls(torch.cumprod(1 - betas, dim=0))

    @property
    def steps(self) -> int:
        """T, the number of noising steps in training."""
        return len(self.kept)

    def at(self, step: int) -> float:
        """Alpha-bar of a step; 1 before the first."""
        return 1.0 if step < 0 else float(self.kept[step])

    def timesteps(self, count: int, spacing: Spacing = "trailing") -> list[int]:
        """The noising steps that sampling visits, in descending order.

        Args:
            count: their number. If it does not divide T, `trailing` has a few more, as in the
                reference: all steps at a distance of T // count.
            spacing: `trailing` begins at the last step, `leading` ends at step 0, `linspace` is
                evenly spaced from the last step to the first.

        Raises:
            BadInput: a count out of 1 .. T, or an unknown spacing.
        """
        if not 1 <= count <= self.steps:
            raise BadInput(f"the number of steps must be between 1 and {self.steps}, got {count}")
        stride = self.steps // count
        if spacing == "trailing":
            return list(range(self.steps - 1, -1, -stride))
        if spacing == "leading":
            return [stride * i for i in reversed(range(count))]
        if spacing == "linspace":
            ends = torch.linspace(self.steps, 1, count, dtype=torch.float64)
            return [int(step) for step in ends.round() - 1]
        raise BadInput(f"spacing must be trailing, leading or linspace, got {spacing!r}")


def _squared_cosine(steps: int) -> Tensor:
    def kept(time: float) -> float:
        return math.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [1 - kept((i + 1) / steps) / kept(i / steps) for i in range(steps)]
    return torch.tensor([min(beta, 0.999) for beta in betas])


def _without_last_signal(betas: Tensor) -> Tensor:
    root = torch.cumprod(1 - betas, dim=0).sqrt()
    first, last = root[0].clone(), root[-1].clone()
    kept = ((root - last) * (first / (first - last))).square()
    return 1 - torch.cat([kept[:1], kept[1:] / kept[:-1]])


def _shifted_cosine(written: str, steps: int) -> Tensor:
    try:
        shift = float(written)
    except ValueError:
        shift = math.nan
    if not 0 < shift < math.inf:
        raise ConfigError(f"beta_schedule {_SHIFTED}{written!r} needs a positive shift")
    time = torch.linspace(0, 1, steps, dtype=torch.float64)
    log_snr = -2 * (torch.log(torch.tan(math.pi * time / 2)) + math.log(shift))
    kept = log_snr.clamp(-_LARGEST_LOG_SNR, _LARGEST_LOG_SNR).sigmoid().float()
    kept[-1] = 0
    return kept
