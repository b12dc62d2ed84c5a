"""What a user may choose about diffusion decoders."""

from __future__ import annotations

from dataclasses import dataclass

from fourm.errors import BadInput


@dataclass(frozen=True)
class DiffusionConfig:
    """Options of diffusion decoders; other decoders ignore them.

    Attributes:
        steps: denoising steps.
        size: side of the decoded image in pixels, a multiple of 32 for the official tokenizers;
            None: that of the tokenizer's input.
        seed: random seed of the noise.

    Raises:
        BadInput: no step, or no pixel.
    """

    steps: int = 50
    size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadInput(f"diffusion steps must be >= 1, got {self.steps}")
        if self.size is not None and self.size < 1:
            raise BadInput(f"the size of images must be >= 1, got {self.size}")
