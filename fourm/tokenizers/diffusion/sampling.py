"""Sampling from a diffusion model with DDIM or DDPM steps (4M-21 reference, sec. 3.6)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from fourm.errors import ConfigError
from fourm.tokenizers.diffusion.schedule import NoiseSchedule

_SMALLEST_VARIANCE = 1e-20


@dataclass(frozen=True)
class DiffusionSampler:
    """A sampler of images.

    Attributes:
        schedule: noise schedule.
        scheduler: `ddim` (deterministic) or `ddpm`.
        prediction: output of the network: the image (`sample`), the noise (`epsilon`) or
            `v_prediction`.
        clamp: clamp predicted images to -1 .. 1.
    """

    schedule: NoiseSchedule
    scheduler: str
    prediction: str
    clamp: bool

    def __post_init__(self) -> None:
        """Check the names."""
        if self.scheduler not in ("ddim", "ddpm"):
            raise ConfigError(f"scheduler must be 'ddim' or 'ddpm', got {self.scheduler!r}")
        if self.prediction not in ("sample", "v_prediction", "epsilon"):
            raise ConfigError(
                "prediction_type must be 'sample', 'v_prediction' or 'epsilon', "
                f"got {self.prediction!r}"
            )

    def sample(
        self,
        network: Callable[[Tensor, int], Tensor],
        draw: Callable[[], Tensor],
        timesteps: Sequence[int],
        stride: int,
    ) -> Tensor:
        """Denoise random noise to images.

        Args:
            network: (noised images (B, C, H, W), step) -> prediction of the same shape.
            draw: returns standard normal noise (B, C, H, W): at the first call that to start from,
                then, for `ddpm`, that to add after each step but the last.
            timesteps: noising steps to visit, in descending order.
            stride: number of noising steps that each of them removes.
        """
        x = draw()
        for step in timesteps:
            out = network(x, step)
            kept, next_kept = self.schedule.at(step), self.schedule.at(step - stride)
            image, noise = self._split(x, out, kept)
            if self.clamp:
                image = image.clamp(-1, 1)
            if self.scheduler == "ddim":
                x = math.sqrt(next_kept) * image + math.sqrt(1 - next_kept) * noise
            else:
                x = _ddpm_mean(x, image, kept, next_kept)
                if step > 0:
                    x = x + draw() * math.sqrt(_ddpm_variance(kept, next_kept))
        return x

    def _split(self, x: Tensor, out: Tensor, kept: float) -> tuple[Tensor, Tensor]:
        """The image and the noise of `x`, by the output of the network."""
        root, rest = math.sqrt(kept), math.sqrt(1 - kept)
        if self.prediction == "sample":
            return out, (x - root * out) / rest
        if self.prediction == "v_prediction":
            return root * x - rest * out, root * out + rest * x
        return (x - rest * out) / root, out


def _ddpm_mean(x: Tensor, image: Tensor, kept: float, next_kept: float) -> Tensor:
    one_step = kept / next_kept
    of_image = math.sqrt(next_kept) * (1 - one_step) / (1 - kept)
    of_x = math.sqrt(one_step) * (1 - next_kept) / (1 - kept)
    return of_image * image + of_x * x


def _ddpm_variance(kept: float, next_kept: float) -> float:
    variance = (1 - next_kept) / (1 - kept) * (1 - kept / next_kept)
    return max(variance, _SMALLEST_VARIANCE)
