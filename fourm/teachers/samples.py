"""Pictures and words on their way to a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.bundle.decoding import unit_rows
from fourm.errors import BadInput
from fourm.modalities.pixels import square_pixels
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.teacher import SIDE, Teacher

__all__ = ["Pixels", "Vectors", "embed_pictures", "embed_words", "picture", "text", "unit_rows"]

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
    return unit_rows(teacher.embed_pixels(pixels, space).numpy())


def embed_words(teacher: ClipTeacher, texts: Sequence[str]) -> Vectors:
    """float32 (B, dim), rows of length 1."""
    return unit_rows(teacher.embed_texts(texts).numpy())
