"""The teachers by name."""

from __future__ import annotations

import os
from collections.abc import Mapping

from fourm.errors import ModelNotFound
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.dinov2 import Dinov2Teacher
from fourm.teachers.teacher import Teacher

KNOWN: Mapping[str, type[Teacher]] = {kind.name: kind for kind in (ClipTeacher, Dinov2Teacher)}


def teacher_names() -> tuple[str, ...]:
    """Names of the teachers that are known here."""
    return tuple(KNOWN)


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
        name: one of `teacher_names()`, or the space that it is the teacher of (`clip`, `dinov2`).
        source, device, dtype: see `Teacher`.
        pixels: see `ClipTeacher`; of no account to others.

    Raises:
        ModelNotFound: no teacher of that name.
        BadInput: a device or dtype that this machine does not have.
    """
    if name in (ClipTeacher.name, ClipTeacher.predicted):
        return ClipTeacher(source, device, dtype, pixels=pixels)
    if name in (Dinov2Teacher.name, Dinov2Teacher.predicted):
        return Dinov2Teacher(source, device, dtype)
    short = ", ".join(kind.predicted for kind in KNOWN.values())
    raise ModelNotFound(f"no teacher {name!r}; known: {', '.join(KNOWN)} (or short: {short})")
