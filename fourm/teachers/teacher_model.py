"""A teacher used as a model: images, and with CLIP texts, without any 4M-21."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from fourm.embedder import FusionMethod, Route, Space, Vectors
from fourm.errors import BadInput, UnknownModality, UnknownSpace
from fourm.hub.availability import MissingTokenizer
from fourm.teachers.samples import (
    TeacherSample,
    embed_images,
    embed_texts,
    prepare_image,
    prepare_text,
    summed,
    weighted,
)
from fourm.teachers.teacher import Teacher


class TeacherModel:
    """One teacher as a `fourm.embedder.Embedder`.

    Attributes:
        teacher: the network.
        name, title: of the teacher.
        inputs: `("image",)`, or `("image", "text")` with a text tower.
        predictable, metadata_keys, missing, routes: empty.
        default_space: the first of its spaces: `clip_joint` or `dinov2`.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self.name, self.title = teacher.name, teacher.title
        self.inputs: tuple[str, ...] = teacher.card.inputs
        self.predictable: tuple[str, ...] = ()
        self.metadata_keys: tuple[str, ...] = ()
        self.missing: Mapping[str, MissingTokenizer] = {}
        self.routes: tuple[Route, ...] = ()
        self.default_space = next(iter(teacher.card.outputs))

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

    def input_fingerprint(self, modality: str) -> str:
        """Empty: `space_fingerprint` covers all that is read.

        Raises:
            UnknownModality: a modality that is not read.
        """
        self._require(modality)
        return ""

    def prepare(self, inputs: Mapping[str, Any], *, predict: Sequence[str] = ()) -> TeacherSample:
        """One image, or one text; no network runs.

        Raises:
            UnknownModality: another modality, or any to predict.
            BadInput: nothing, both, or what cannot be read.
        """
        for modality in inputs:
            self._require(modality)
        if predict:
            raise UnknownModality(f"{self.name} cannot predict {predict[0]!r} from an image")
        if len(inputs) != 1:
            raise BadInput(
                f"{self.name} reads one input at a time: {' or '.join(self.inputs)}; "
                "several are combined late"
            )
        if "image" in inputs:
            return prepare_image(inputs["image"])
        return prepare_text(inputs["text"])

    def fuse(
        self, parts: Sequence[tuple[TeacherSample, float]], method: FusionMethod = "guided"
    ) -> TeacherSample:
        """Several samples as one: their unit vectors, summed with their weights (`late`).

        Raises:
            BadInput: `guided`, no parts, or weights out of range.
        """
        checked = weighted(parts, method)
        if method == "guided":
            raise BadInput(
                f"{self.name} predicts nothing that could be guided: combine inputs late"
            )
        return TeacherSample(parts=checked)

    def embed(
        self, prepared: Sequence[TeacherSample], /, *, space: str | None = None, seeds: int = 1
    ) -> Vectors:
        """Vectors of several samples: float32 (B, dim), rows of length 1.

        Args:
            prepared: what `prepare` and `fuse` returned.
            space: default: `default_space`.
            seeds: ignored: nothing is sampled.

        Raises:
            UnknownSpace: this teacher has no such space.
            BadInput: the parts of a fusion cancel each other out.
        """
        chosen = self.default_space if space is None else space
        if chosen not in self.teacher.card.outputs:
            known = ", ".join(self.teacher.card.outputs)
            raise UnknownSpace(f"{self.name} has no space {chosen!r}; it has {known}")
        vectors = np.zeros((len(prepared), self.spaces[chosen].dim), np.float32)
        images = {row: s.pixels for row, s in enumerate(prepared) if s.pixels is not None}
        texts = {row: s.text for row, s in enumerate(prepared) if s.text is not None}
        if images:
            vectors[list(images)] = embed_images(self.teacher, list(images.values()), chosen)
        if texts:
            vectors[list(texts)] = embed_texts(self.teacher, list(texts.values()))
        for row, sample in enumerate(prepared):
            if sample.parts:
                alone = self.embed([part for part, _ in sample.parts], space=chosen)
                vectors[row] = summed(sample, alone)
        return vectors

    def embed_spaces(
        self, prepared: Sequence[TeacherSample], /, *, spaces: Sequence[str], seeds: int = 1
    ) -> dict[str, Vectors]:
        """`embed` for several spaces: name -> float32 (B, dim)."""
        return {space: self.embed(prepared, space=space, seeds=seeds) for space in spaces}

    def _require(self, modality: str) -> None:
        if modality not in self.inputs:
            raise UnknownModality(
                f"{self.name} does not read {modality!r}; it reads {', '.join(self.inputs)}"
            )
