"""Pictures and words on their way to a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.checks import unicode_text
from fourm.errors import BadInput
from fourm.modalities.pixels import square_pixels
from fourm.model.samples import Blend, How, Prepared
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.teacher import SIDE, Teacher
from fourm.vectors import unit_rows

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sample:
    """One sample: a picture alone, a text alone, what only the model can read, or a sum of these.

    Attributes:
        pixels: of a picture alone, uint8 (3, 224, 224).
        text: of a text alone, where a text tower may read it.
        prepared: what the model prepared of anything else.
        parts: samples and weights, whose unit vectors are summed.
    """

    pixels: Pixels | None = None
    text: str | None = None
    prepared: Prepared | Blend | None = None
    parts: tuple[tuple[Sample, float], ...] = ()


def picture(value: Any) -> Pixels:
    """PIL image or uint8 (H, W, 3) -> uint8 (3, 224, 224).

    Raises:
        BadInput: not a picture.
    """
    return square_pixels(value, SIDE)


def text(value: Any) -> str:
    """The text, if it says something.

    Raises:
        BadInput: not a string of Unicode text, or nothing but white space.
    """
    if not unicode_text(value).strip():
        raise BadInput("the text is empty")
    return str(value)


def embed_pictures(teacher: Teacher, pictures: Sequence[Pixels], space: str) -> Vectors:
    """float32 (B, dim), rows of length 1."""
    import torch

    pixels = torch.from_numpy(np.stack(pictures)).float() / 255
    return unit_rows(teacher.embed_pixels(pixels, space).numpy())


def embed_words(teacher: ClipTeacher, texts: Sequence[str]) -> Vectors:
    """float32 (B, dim), rows of length 1."""
    return unit_rows(teacher.embed_texts(texts).numpy())


def weighed(parts: Sequence[tuple[Sample, float]], how: How) -> tuple[tuple[Sample, float], ...]:
    """The parts of a blend, if its weights are possible; see `fourm.model.samples.Blend`.

    Raises:
        BadInput: no parts, something else than pairs of a sample and its weight, blends among them,
            or impossible weights.
    """
    try:
        pairs = tuple((sample, weight) for sample, weight in parts)
    except (TypeError, ValueError):
        raise BadInput("the parts of a blend are pairs of a sample and its weight") from None
    for sample, _ in pairs:
        if not isinstance(sample, Sample) or sample.parts or isinstance(sample.prepared, Blend):
            raise BadInput("the parts of a blend are prepared samples, no blends")
    Blend(tuple((Prepared({}), weight) for _, weight in pairs), how)
    return pairs


def summed(sample: Sample, vectors: Vectors) -> Vectors:
    """The unit vector (dim,) of a sample with parts, from those of its parts, (parts, dim).

    Raises:
        BadInput: they cancel each other out.
    """
    weights = np.array([weight for _, weight in sample.parts], np.float32)
    total = weights @ vectors
    if np.linalg.norm(total) < 1e-6 * np.abs(weights).sum():
        raise BadInput("the parts of a blend cancel each other out")
    unit: Vectors = unit_rows(total[None])[0]
    return unit
