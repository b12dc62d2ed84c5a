"""From noise to a picture, step by step (4M-21 reference: DDIM and DDPM steps)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from fourm.errors import ConfigError
from fourm.tokenizers.diffusion.schedule import NoiseSchedule

PredictionType = Literal["sample", "v_prediction", "epsilon"]
_SMALLEST_VARIANCE = 1e-20


@dataclass(frozen=True)
class DiffusionSampler:
    """One way of taking noise away.

    Attributes:
        schedule: how much noise there is at each step.
        scheduler: `ddim` (no noise is added on the way) or `ddpm`.
        prediction: what the network answers: the picture (`sample`), the noise (`epsilon`) or the
            mixture of both that is called `v_prediction`.
        clamp: keep predicted pictures within -1 and 1.
    """

    schedule: NoiseSchedule
    scheduler: str
    prediction: str
    clamp: bool

    def __post_init__(self) -> None:
        """Refuse names that are not known."""
        if self.scheduler not in ("ddim", "ddpm"):
            raise ConfigError(f"scheduler should be 'ddim' or 'ddpm', not {self.scheduler!r}")
        if self.prediction not in ("sample", "v_prediction", "epsilon"):
            raise ConfigError(
                "prediction_type should be 'sample', 'v_prediction' or 'epsilon', "
                f"not {self.prediction!r}"
            )

    def sample(
        self,
        network: Callable[[Tensor, int], Tensor],
        draw: Callable[[], Tensor],
        timesteps: Sequence[int],
        stride: int,
    ) -> Tensor:
        """A picture out of noise.

        Args:
            network: (noised picture (B, C, H, W), step) -> its prediction, of the same shape.
            draw: standard normal noise (B, C, H, W), anew at each call: first the noise to start
                from, then for `ddpm` what is added after each step but the last.
            timesteps: steps to visit, from the noisiest on.
            stride: noising steps that each of them undoes.
        """
        x = draw()
        for step in timesteps:
            out = network(x, step)
            kept, next_kept = self.schedule.at(step), self.schedule.at(step - stride)
            picture, noise = self._split(x, out, kept)
            if self.clamp:
                picture = picture.clamp(-1, 1)
            if self.scheduler == "ddim":
                x = math.sqrt(next_kept) * picture + math.sqrt(1 - next_kept) * noise
            else:
                x = _ddpm_mean(x, picture, kept, next_kept)
                if step > 0:
                    x = x + draw() * math.sqrt(_ddpm_variance(kept, next_kept))
        return x

    def _split(self, x: Tensor, out: Tensor, kept: float) -> tuple[Tensor, Tensor]:
        """The picture and the noise that `x` is mixed of, by the network's answer."""
        root, rest = math.sqrt(kept), math.sqrt(1 - kept)
        if self.prediction == "sample":
            return out, (x - root * out) / rest
        if self.prediction == "v_prediction":
            return root * x - rest * out, root * out + rest * x
        return (x - rest * out) / root, out


def _ddpm_mean(x: Tensor, picture: Tensor, kept: float, next_kept: float) -> Tensor:
    one_step = kept / next_kept
    of_picture = math.sqrt(next_kept) * (1 - one_step) / (1 - kept)
    of_x = math.sqrt(one_step) * (1 - next_kept) / (1 - kept)
    return of_picture * picture + of_x * x


def _ddpm_variance(kept: float, next_kept: float) -> float:
    variance = (1 - next_kept) / (1 - kept) * (1 - kept / next_kept)
    return max(variance, _SMALLEST_VARIANCE)
