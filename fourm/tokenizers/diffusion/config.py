"""What a user may choose about diffusion decoders."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DiffusionConfig:
    """Options of diffusion decoders; other decoders ignore them.

    Attributes:
        steps: denoising steps.
        size: side of the decoded image in pixels, a multiple of 32 for the official tokenizers;
            None: that of the tokenizer's input.
        seed: random seed of the noise.
    """

    steps: int = 50
    size: int | None = None
    seed: int = 0
