"""A teacher as a whole model: pictures, and with CLIP words, without any 4M-21."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from fourm.bundle.spaces import Space
from fourm.errors import BadInput, UnknownModality, UnknownSpace
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.samples import Pixels, Vectors, embed_pictures, embed_words, picture, text
from fourm.teachers.teacher import Teacher


class TeacherModel:
    """One teacher, to be used where a `Model` is.

    Attributes:
        name, title: of the teacher.
        inputs: `("image",)`, or `("image", "text")` with a text tower.
        default_space: the first of its spaces: `clip_joint` or `dinov2`.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self.name, self.title = teacher.name, teacher.title
        self.inputs: tuple[str, ...] = ("image", "text") if teacher.reads_words else ("image",)
        self.default_space = next(iter(teacher.readouts))

    def __repr__(self) -> str:
        return f"TeacherModel({self.teacher!r})"

    @property
    def spaces(self) -> Mapping[str, Space]:
        """Name -> `Space`; finds the weights, which may download them."""
        return self.teacher.spaces

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the weights and of how they are used in the default space."""
        return self.space_fingerprint(self.default_space)

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of all that vectors of a space depend on."""
        return self.teacher.space_fingerprint(space)

    def prepare(self, inputs: Mapping[str, Any]) -> Pixels | str:
        """One picture, or one text; no network runs.

        Raises:
            UnknownModality: another kind of input.
            BadInput: nothing, both, or what cannot be read.
        """
        for kind in inputs:
            if kind not in self.inputs:
                raise UnknownModality(
                    f"{self.name} does not read {kind!r}; it reads {', '.join(self.inputs)}"
                )
        if len(inputs) != 1:
            raise BadInput(f"{self.name} reads one input at a time: {' or '.join(self.inputs)}")
        return picture(inputs["image"]) if "image" in inputs else text(inputs["text"])

    def embed(self, prepared: Sequence[Pixels | str], /, *, space: str | None = None) -> Vectors:
        """Vectors of several samples: float32 (B, dim), rows of length 1.

        Raises:
            UnknownSpace: this teacher has no such space.
        """
        chosen = self.default_space if space is None else space
        if chosen not in self.teacher.readouts:
            known = ", ".join(self.teacher.readouts)
            raise UnknownSpace(f"{self.name} has no space {chosen!r}; it has {known}")
        vectors = np.zeros((len(prepared), self.spaces[chosen].dim), np.float32)
        pictures = {row: item for row, item in enumerate(prepared) if not isinstance(item, str)}
        texts = {row: item for row, item in enumerate(prepared) if isinstance(item, str)}
        if pictures:
            vectors[list(pictures)] = embed_pictures(self.teacher, list(pictures.values()), chosen)
        if texts:
            assert isinstance(self.teacher, ClipTeacher)
            vectors[list(texts)] = embed_words(self.teacher, list(texts.values()))
        return vectors

    def embed_spaces(
        self, prepared: Sequence[Pixels | str], /, *, spaces: Sequence[str]
    ) -> dict[str, Vectors]:
        """`embed` for several spaces: name -> float32 (B, dim)."""
        return {space: self.embed(prepared, space=space) for space in spaces}
