"""The samples of a teacher: images and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.checks import unicode_text
from fourm.embedder import FusionMethod, Vectors
from fourm.errors import BadInput
from fourm.modalities.pixels import square_pixels
from fourm.model.samples import Prepared, WeightedFusion, check_fusion, pairs_of
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.teacher import SIDE, Teacher
from fourm.vectors import unit_rows

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class TeacherSample:
    """One sample: an image alone, a text alone, what only the model can read, or a sum of these.

    Attributes:
        pixels: of an image alone, uint8 (3, 224, 224).
        text: of a text alone, where a text tower may read it.
        prepared: what the model prepared of anything else.
        parts: samples and weights, whose unit vectors are summed.
    """

    pixels: Pixels | None = None
    text: str | None = None
    prepared: Prepared | WeightedFusion | None = None
    parts: tuple[tuple[TeacherSample, float], ...] = ()


def prepare_image(value: Any) -> TeacherSample:
    """PIL image or uint8 (H, W, 3) -> a sample.

    Raises:
        BadInput: not an image.
    """
    return TeacherSample(pixels=square_pixels(value, SIDE))


def prepare_text(value: Any) -> TeacherSample:
    """A text -> a sample.

    Raises:
        BadInput: not a string of Unicode text, or nothing but white space.
    """
    if not unicode_text(value).strip():
        raise BadInput("the text is empty")
    return TeacherSample(text=str(value))


def embed_images(teacher: Teacher, images: Sequence[Pixels], space: str) -> Vectors:
    """float32 (B, dim), rows of length 1."""
    import torch

    pixels = torch.from_numpy(np.stack(images)).float() / 255
    return unit_rows(teacher.embed_pixels(pixels, space).numpy())


def embed_texts(teacher: Teacher, texts: Sequence[str]) -> Vectors:
    """float32 (B, dim), rows of length 1, of a teacher with a text tower."""
    assert isinstance(teacher, ClipTeacher)
    return unit_rows(teacher.embed_texts(texts).numpy())


def weighted(
    parts: Sequence[tuple[TeacherSample, float]], method: FusionMethod
) -> tuple[tuple[TeacherSample, float], ...]:
    """The parts of a fusion, if they can be fused; see `fourm.model.samples.WeightedFusion`.

    Raises:
        BadInput: no parts, anything but pairs of a prepared sample and its weight, fusions among
            them, or weights out of range.
    """
    pairs = pairs_of(parts)
    for sample, _ in pairs:
        if not isinstance(sample, TeacherSample) or _is_fusion(sample):
            raise BadInput("expected prepared samples to fuse, not fusions")
    check_fusion([weight for _, weight in pairs], method)
    return pairs


def _is_fusion(sample: TeacherSample) -> bool:
    return bool(sample.parts) or isinstance(sample.prepared, WeightedFusion)


def summed(sample: TeacherSample, vectors: Vectors) -> Vectors:
    """The unit vector (dim,) of a sample with parts, from those of its parts, (parts, dim).

    Raises:
        BadInput: they cancel each other out.
    """
    weights = np.array([weight for _, weight in sample.parts], np.float32)
    total = weights @ vectors
    if np.linalg.norm(total) < 1e-6 * np.abs(weights).sum():
        raise BadInput("the parts of the fusion cancel each other out")
    unit: Vectors = unit_rows(total[None])[0]
    return unit
