"""Pictures and words on their way to a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.modalities.pixels import square_pixels
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.teacher import SIDE, Teacher

if TYPE_CHECKING:
    import torch

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]


def picture(value: Any) -> Pixels:
    """PIL image or uint8 (H, W, 3) -> uint8 (3, 224, 224).

    Raises:
        BadInput: not a picture.
    """
    return square_pixels(value, SIDE)


def text(value: Any) -> str:
    """The text, if it says something.

    Raises:
        BadInput: not a string, or nothing but white space.
    """
    if not isinstance(value, str):
        raise BadInput(f"a text must be a string, not {type(value).__name__}")
    if not value.strip():
        raise BadInput("the text is empty")
    return value


def embed_pictures(teacher: Teacher, pictures: Sequence[Pixels], space: str) -> Vectors:
    """float32 (B, dim), rows of length 1."""
    import torch

    pixels = torch.from_numpy(np.stack(pictures)).float() / 255
    return _units(teacher.embed_pixels(pixels, space))


def embed_words(teacher: ClipTeacher, texts: Sequence[str]) -> Vectors:
    """float32 (B, dim), rows of length 1."""
    return _units(teacher.embed_texts(texts))


def _units(vectors: torch.Tensor) -> Vectors:
    import torch

    units: Vectors = torch.nn.functional.normalize(vectors, dim=1).numpy()
    return units
