"""What all decoders share (4M-21 reference, sec. 6).

A decoded value has the form in which the same modality is given to a model (`Model.prepare`), so
that it can be given to one again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.tokenizers.diffusion.config import DiffusionConfig


@dataclass(frozen=True, eq=False)
class Decoded:
    """A value that was decoded from tokens.

    Attributes:
        modality: e.g. `depth`.
        value: in the form that `Model.prepare` takes for this modality: images as uint8 (H, W, 3),
            edges as uint8 (H, W), depth as float32 (H, W), small values near, of mean 0 and
            deviation 1; a segmentation map as uint8 (H, W) of COCO panoptic ids; features as
            float32 (C, h, w), an embedding as float32 (C,), both as the tokenizer gives them, not
            of unit length; a text, a list of `Box`, a list of colours, a dict of metadata, a list
            of `Mask` (224 x 224), `People` (in pixels of 224 x 224).
        tokens: (n,) int64, what it was decoded from.
        text: what the model wrote, for modalities that are written as text.
        rotations: of `poses`, float32 (people, 23, 3, 3): the joints' rotation matrices.
    """

    modality: str
    value: Any
    tokens: NDArray[np.int64]
    text: str | None = None
    rotations: NDArray[np.float32] | None = None


class Decoder(ABC):
    """Decodes the tokens of one modality."""

    def __init__(self, modality: str) -> None:
        self.modality = modality

    @abstractmethod
    def decode(
        self, tokens: Sequence[int], diffusion: DiffusionConfig, *, progress: bool = False
    ) -> Decoded:
        """Decode the tokens of one sample.

        Args:
            tokens: all of a grid's or a vector's, row by row; or of a text, special ones included.
            diffusion: options of diffusion decoders.
            progress: show their steps on stderr.

        Raises:
            BadInput: tokens that the tokenizer does not have, or another number of them; a size or
                a number of steps that the decoder does not support.
        """


def token_array(tokens: Sequence[int]) -> NDArray[np.int64]:
    """Tokens as (n,) int64.

    Raises:
        BadInput: not a flat sequence of integers.
    """
    array = np.asarray(tokens)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise BadInput(f"expected a flat list of tokens, got {array.dtype} {array.shape}")
    return array.astype(np.int64)
