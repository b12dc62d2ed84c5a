"""A teacher as a whole model: pictures, and with CLIP words, without any 4M-21."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from fourm.errors import BadInput, UnknownModality, UnknownSpace
from fourm.model.samples import How
from fourm.model.spaces import Space
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.samples import (
    Sample,
    Vectors,
    embed_pictures,
    embed_words,
    picture,
    summed,
    text,
    weighed,
)
from fourm.teachers.teacher import Teacher


class TeacherModel:
    """One teacher, to be used where a `Model` is.

    Attributes:
        name, title: of the teacher.
        inputs: `("image",)`, or `("image", "text")` with a text tower.
        predictable, facts: nothing.
        default_space: the first of its spaces: `clip_joint` or `dinov2`.
        made_by: space -> name of the teacher.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self.name, self.title = teacher.name, teacher.title
        self.inputs: tuple[str, ...] = teacher.card.inputs
        self.predictable: tuple[str, ...] = ()
        self.facts: tuple[str, ...] = ()
        self.default_space = next(iter(teacher.card.outputs))
        self.made_by = dict.fromkeys(teacher.card.outputs, teacher.name)

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

    def input_fingerprint(self, kind: str) -> str:
        """Empty: `space_fingerprint` covers all that is read.

        Raises:
            UnknownModality: a kind that is not read.
        """
        self._require(kind)
        return ""

    def prepare(self, inputs: Mapping[str, Any], *, take: Sequence[str] = ()) -> Sample:
        """One picture, or one text; no network runs.

        Raises:
            UnknownModality: another kind of input, or a part to take from a photo.
            BadInput: nothing, both, or what cannot be read.
        """
        for kind in inputs:
            self._require(kind)
        if take:
            raise UnknownModality(f"{self.name} cannot take {take[0]!r} from a photo")
        if len(inputs) != 1:
            raise BadInput(
                f"{self.name} reads one input at a time: {' or '.join(self.inputs)}; "
                "several are combined late"
            )
        if "image" in inputs:
            return Sample(pixels=picture(inputs["image"]))
        return Sample(text=text(inputs["text"]))

    def blend(self, parts: Sequence[tuple[Sample, float]], how: How = "guided") -> Sample:
        """Several samples as one: their unit vectors summed with their weights, `late`.

        Raises:
            BadInput: `guided`, no parts, or impossible weights.
        """
        checked = weighed(parts, how)
        if how == "guided":
            raise BadInput(
                f"{self.name} predicts nothing that could be guided: combine inputs late"
            )
        return Sample(parts=checked)

    def embed(
        self, prepared: Sequence[Sample], /, *, space: str | None = None, seeds: int = 1
    ) -> Vectors:
        """Vectors of several samples: float32 (B, dim), rows of length 1.

        Args:
            prepared: what `prepare` and `blend` gave.
            space: default: `default_space`.
            seeds: nothing is drawn here; whatever is given, vectors are the same.

        Raises:
            UnknownSpace: this teacher has no such space.
            BadInput: the parts of a blend cancel each other out.
        """
        chosen = self.default_space if space is None else space
        if chosen not in self.teacher.card.outputs:
            known = ", ".join(self.teacher.card.outputs)
            raise UnknownSpace(f"{self.name} has no space {chosen!r}; it has {known}")
        vectors = np.zeros((len(prepared), self.spaces[chosen].dim), np.float32)
        pictures = {row: s.pixels for row, s in enumerate(prepared) if s.pixels is not None}
        texts = {row: s.text for row, s in enumerate(prepared) if s.text is not None}
        if pictures:
            vectors[list(pictures)] = embed_pictures(self.teacher, list(pictures.values()), chosen)
        if texts:
            assert isinstance(self.teacher, ClipTeacher)
            vectors[list(texts)] = embed_words(self.teacher, list(texts.values()))
        for row, sample in enumerate(prepared):
            if sample.parts:
                alone = self.embed([part for part, _ in sample.parts], space=chosen)
                vectors[row] = summed(sample, alone)
        return vectors

    def embed_spaces(
        self, prepared: Sequence[Sample], /, *, spaces: Sequence[str], seeds: int = 1
    ) -> dict[str, Vectors]:
        """`embed` for several spaces: name -> float32 (B, dim)."""
        return {space: self.embed(prepared, space=space, seeds=seeds) for space in spaces}

    def _require(self, kind: str) -> None:
        if kind not in self.inputs:
            raise UnknownModality(
                f"{self.name} does not read {kind!r}; it reads {', '.join(self.inputs)}"
            )
