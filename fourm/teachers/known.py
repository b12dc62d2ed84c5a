"""A teacher by its name."""

from __future__ import annotations

import os

from fourm.errors import ModelNotFound
from fourm.hub.teachers import CLIP_B16, TEACHERS, find_teacher
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.dinov2 import Dinov2Teacher
from fourm.teachers.teacher import Teacher


def make_teacher(
    name: str,
    source: str | os.PathLike[str] | None = None,
    device: str = "auto",
    dtype: str = "auto",
    *,
    pixels: str = "imagenet",
) -> Teacher:
    """The teacher of a name; no weights are read yet.

    Args:
        name: one of `fourm.hub.teachers.TEACHERS`, or the space that it is the teacher of (`clip`,
            `dinov2`).
        source, device, dtype: see `Teacher`.
        pixels: see `ClipTeacher`; ignored by others.

    Raises:
        ModelNotFound: no teacher of that name.
        BadInput: a device or dtype that this machine does not have.
    """
    card = find_teacher(name)
    if card is None:
        known = ", ".join(f"{card.name} ({card.predicted})" for card in TEACHERS.values())
        raise ModelNotFound(f"{name!r} is not a teacher; known: {known}")
    if card is CLIP_B16:
        return ClipTeacher(source, device, dtype, pixels=pixels)
    return Dinov2Teacher(source, device, dtype)
