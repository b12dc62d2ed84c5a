"""What a user may choose about a generation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from fourm.errors import BadInput
from fourm.modalities import GenerationDefaults, Quality

Scheme = Literal["roar", "maskgit"]


TOP_P = 0.8


@dataclass(frozen=True)
class Settings:
    """Choices; None leaves one to the recipe of each kind.

    Attributes:
        steps: passes for each image kind (everything that is no text).
        scheme: of the image kinds.
        temperature: of all kinds, the same in all steps; 0 takes the likeliest token.
        top_k, top_p: see `fourm.generation.keep_likely`.
        guidance: classifier-free scale; 1 is none.
        weights: kind -> weight. With any, each input is a condition of its own and guides with its
            weight (others: 1), and so does what was generated before (4M-21 reference, sec. 4.4).
        seed: of everything that is drawn.
        quality: of diffusion decoders; its seed is not used, but this one.

    Raises:
        BadInput: numbers that cannot be, or a scale and weights together.
    """

    steps: int | None = None
    scheme: Scheme | None = None
    temperature: float | None = None
    top_k: int | float = 0
    top_p: float = TOP_P
    guidance: float | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    quality: Quality = field(default_factory=Quality)

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise BadInput(f"steps: at least 1, not {self.steps}")
        if self.scheme not in (None, "roar", "maskgit"):
            raise BadInput(f"scheme: roar or maskgit, not {self.scheme!r}")
        if self.temperature is not None and not 0 <= self.temperature < math.inf:
            raise BadInput(f"temperature: 0 or above, not {self.temperature}")
        if not 0 <= self.top_k < math.inf:
            raise BadInput(f"top k: 0 or above, not {self.top_k}")
        if not 0 <= self.top_p <= 1:
            raise BadInput(f"top p: from 0 to 1, not {self.top_p}")
        if self.guidance is not None and not math.isfinite(self.guidance):
            raise BadInput(f"guidance: a finite number, not {self.guidance}")
        if not all(math.isfinite(weight) for weight in self.weights.values()):
            raise BadInput(f"weights: finite numbers, not {dict(self.weights)}")
        if self.weights and self.guidance is not None:
            raise BadInput("guidance and weights are two ways to guide: choose one")
        if not 0 <= self.seed < 1 << 62:
            raise BadInput(f"seed: a whole number from 0, not {self.seed}")

    def applied(self, recipe: GenerationDefaults) -> GenerationDefaults:
        """The recipe with what was chosen."""
        chosen = recipe
        if recipe.scheme != "autoregressive":
            chosen = replace(
                chosen, scheme=self.scheme or recipe.scheme, steps=self.steps or recipe.steps
            )
        if self.temperature is not None:
            chosen = replace(chosen, temperature=self.temperature, temperature_schedule="constant")
        if self.guidance is not None:
            chosen = replace(chosen, guidance=self.guidance)
        return chosen

    @property
    def decoding(self) -> Quality:
        """Of diffusion decoders, with the one seed."""
        return replace(self.quality, seed=self.seed)

    def as_dict(self) -> dict[str, Any]:
        """As JSON knows them; what was left to the recipes is null."""
        return {**asdict(self), "weights": dict(self.weights), "quality": asdict(self.decoding)}
