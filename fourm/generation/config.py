"""What a user may choose about a generation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from fourm.errors import BadInput
from fourm.modalities import GenerationDefaults
from fourm.tokenizers.diffusion.config import DiffusionConfig

ImageScheme = Literal["roar", "maskgit"]

DEFAULT_TOP_P = 0.8


@dataclass(frozen=True)
class GenerationConfig:
    """Options of `Generator.generate`; None leaves one to the defaults of each modality.

    Attributes:
        steps: decoding steps per image-like modality.
        scheme: decoding scheme of image-like modalities.
        temperature: sampling temperature of all modalities and steps; 0 is greedy decoding.
        top_k, top_p: filters of sampling, see `fourm.generation.keep_likely`.
        guidance: classifier-free guidance scale; 1 disables it.
        weights: modality -> guidance weight. If any is given, each input, and each modality
            generated before, is a condition of its own and guides with its weight, by default 1
            (4M-21 reference, sec. 4.4).
        seed: random seed.
        diffusion: options of diffusion decoders; its seed is replaced by `seed`.

    Raises:
        BadInput: numbers out of range, or both a guidance scale and weights.
    """

    steps: int | None = None
    scheme: ImageScheme | None = None
    temperature: float | None = None
    top_k: int | float = 0
    top_p: float = DEFAULT_TOP_P
    guidance: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise BadInput(f"steps must be >= 1, got {self.steps}")
        if self.scheme not in (None, "roar", "maskgit"):
            raise BadInput(f"scheme must be roar or maskgit, got {self.scheme!r}")
        if self.temperature is not None and not 0 <= self.temperature < math.inf:
            raise BadInput(f"temperature must be >= 0, got {self.temperature}")
        if not 0 <= self.top_k < math.inf:
            raise BadInput(f"top_k must be >= 0, got {self.top_k}")
        if not 0 <= self.top_p <= 1:
            raise BadInput(f"top_p must be between 0 and 1, got {self.top_p}")
        if self.guidance is not None and not math.isfinite(self.guidance):
            raise BadInput(f"guidance must be finite, got {self.guidance}")
        if not all(math.isfinite(weight) for weight in self.weights.values()):
            raise BadInput(f"weights must be finite, got {dict(self.weights)}")
        if self.weights and self.guidance is not None:
            raise BadInput("guidance and weights cannot be combined")
        if not 0 <= self.seed < 1 << 62:
            raise BadInput(f"seed must be between 0 and 2**62 - 1, got {self.seed}")

    def applied_to(self, defaults: GenerationDefaults) -> GenerationDefaults:
        """The defaults of a modality, with the options that are given."""
        chosen = defaults
        if defaults.scheme != "autoregressive":
            chosen = replace(
                chosen, scheme=self.scheme or defaults.scheme, steps=self.steps or defaults.steps
            )
        if self.temperature is not None:
            chosen = replace(chosen, temperature=self.temperature, temperature_schedule="constant")
        if self.guidance is not None:
            chosen = replace(chosen, guidance=self.guidance)
        return chosen

    @property
    def seeded_diffusion(self) -> DiffusionConfig:
        """`diffusion` with the one seed."""
        return replace(self.diffusion, seed=self.seed)

    def as_dict(self) -> dict[str, Any]:
        """A JSON object; what is left to the defaults is null."""
        diffusion = asdict(self.seeded_diffusion)
        return {**asdict(self), "weights": dict(self.weights), "diffusion": diffusion}
