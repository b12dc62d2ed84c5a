"""A 4M-21 model whose images are embedded by its teachers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from fourm.embedder import FusionMethod, Route, Space, Vectors
from fourm.errors import BadInput, ConfigError, UnknownSpace
from fourm.hub.availability import MissingTokenizer
from fourm.model.model import Model
from fourm.model.samples import Prepared
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

TextEncoder = Literal["clip", "4m"]


class ModelWithTeachers:
    """A model and its teachers as one `fourm.embedder.Embedder`.

    An image alone is embedded by the teacher of the space, in galleries and in queries. A text
    alone is embedded by CLIP's text tower in CLIP's space, unless `text_encoder` says otherwise.
    All else, and any combination, is predicted by the model in the teacher's space.

    Args:
        model: a model some of whose spaces name a teacher.
        teachers: at most one of each name; only the spaces of these teachers are offered.
        text_encoder: what embeds a text alone in CLIP's space: `clip`, its text tower, or `4m`, the
            model.

    Attributes:
        model: the model.
        teachers: space -> its teacher.
        name, title: of the model.
        inputs: what the model reads, `image`, and `text` if a teacher has a text tower.
        predictable, metadata_keys, missing: those of the model.
        routes: empty.
        spaces: those of the model whose teacher is given, described as the teacher's.
        default_space: the first of them.

    Raises:
        UnknownSpace: no space of the model is that of one of the teachers.
        BadInput: an unknown text encoder.
    """

    def __init__(
        self, model: Model, teachers: Iterable[Teacher], *, text_encoder: str = "clip"
    ) -> None:
        if text_encoder not in get_args(TextEncoder):
            raise BadInput(
                f"text_encoder must be one of {', '.join(get_args(TextEncoder))}, "
                f"got {text_encoder!r}"
            )
        self.model = model
        self.text_encoder = text_encoder
        by_name = {teacher.name: teacher for teacher in teachers}
        self.teachers: Mapping[str, Teacher] = MappingProxyType(
            {
                name: by_name[space.teacher]
                for name, space in model.spaces.items()
                if space.teacher in by_name
            }
        )
        if not self.teachers:
            raise UnknownSpace(_no_space(model, by_name))
        self.name, self.title = model.name, f"{model.title}, images by its teachers"
        self.predictable, self.metadata_keys = model.predictable, model.metadata_keys
        self.missing: Mapping[str, MissingTokenizer] = model.missing
        self.routes: tuple[Route, ...] = ()
        self.spaces: Mapping[str, Space] = MappingProxyType(
            {name: self._space(name, teacher) for name, teacher in self.teachers.items()}
        )
        self.default_space = next(iter(self.spaces))
        self._tower = text_encoder == "clip" and any(
            teacher.card.reads_text for teacher in self.teachers.values()
        )
        further = ["image", *(["text"] if self._tower else [])]
        self.inputs: tuple[str, ...] = tuple(dict.fromkeys([*model.inputs, *further]))

    def __repr__(self) -> str:
        return f"ModelWithTeachers({self.model!r}, {list(self.teachers.values())})"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the fingerprints of all spaces."""
        parts = "\n".join(f"{name} {self.space_fingerprint(name)}" for name in self.spaces)
        return hashlib.sha256(parts.encode()).hexdigest()

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of all that an image's vector depends on: the teacher alone.

        Vectors of a teacher can be searched with any model that predicts them.

        Raises:
            UnknownSpace: no such space.
        """
        return self._teacher(space).space_fingerprint(self._teacher(space).card.predicted)

    def input_fingerprint(self, modality: str) -> str:
        """SHA-256 (hex) of what a modality is embedded with, beyond `space_fingerprint`.

        Empty for images, which the teachers embed; all else depends on the model.

        Raises:
            UnknownModality: a modality that is not read.
        """
        if modality == "image":
            return ""
        by_tower = self._tower and modality == "text"
        parts = [modality, "tower" if by_tower else "model"]  # as indexes have it stored
        if modality in self.model.inputs:
            parts += [self.model.fingerprint, self.model.input_fingerprint(modality)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def prepare(self, inputs: Mapping[str, Any], *, predict: Sequence[str] = ()) -> TeacherSample:
        """Check the inputs of one sample and shrink them; as `Model.prepare`."""
        if set(inputs) == {"image"} and not predict:
            return prepare_image(inputs["image"])
        if self._tower and set(inputs) == {"text"} and not predict:
            return prepare_text(inputs["text"])
        return TeacherSample(prepared=self.model.prepare(inputs, predict=predict))

    def fuse(
        self, parts: Sequence[tuple[TeacherSample, float]], method: FusionMethod = "guided"
    ) -> TeacherSample:
        """Several samples as one; arguments and errors as `Model.fuse`.

        `guided` is a prediction of the model from all parts; `late` sums the vectors that the parts
        have alone, those of the teachers among them.
        """
        checked = weighted(parts, method)
        if method == "late":
            return TeacherSample(parts=checked)
        read = [(self._for_model(part), weight) for part, weight in checked]
        return TeacherSample(prepared=self.model.fuse(read, method))

    def embed(
        self, prepared: Sequence[TeacherSample], /, *, space: str | None = None, seeds: int = 1
    ) -> Vectors:
        """Vectors of several samples in one space: float32 (B, dim); see `embed_spaces`."""
        chosen = self.default_space if space is None else space
        return self.embed_spaces(prepared, spaces=(chosen,), seeds=seeds)[chosen]

    def embed_spaces(
        self, prepared: Sequence[TeacherSample], /, *, spaces: Sequence[str], seeds: int = 1
    ) -> dict[str, Vectors]:
        """Vectors of several samples in several spaces.

        Args:
            prepared: what `prepare` and `fuse` returned.
            spaces: some of `spaces`.
            seeds: as `Model.embed_spaces`, for what the model predicts.

        Returns:
            Space -> float32 (B, dim), rows of length 1.

        Raises:
            UnknownSpace: no such space.
            BadInput: as `Model.embed_spaces`.
            ConfigError: a teacher's vectors have another length than those that are predicted.
        """
        for space in spaces:
            self._require_length(space)
        vectors = {
            space: np.zeros((len(prepared), self.spaces[space].dim), np.float32) for space in spaces
        }
        images = {row: s.pixels for row, s in enumerate(prepared) if s.pixels is not None}
        texts = {row: s.text for row, s in enumerate(prepared) if s.text is not None}
        others = {row: s.prepared for row, s in enumerate(prepared) if s.prepared is not None}
        for row, sample in enumerate(prepared):
            if sample.parts:
                parts = [part for part, _ in sample.parts]
                alone = self.embed_spaces(parts, spaces=spaces, seeds=seeds)
                for space in spaces:
                    vectors[space][row] = summed(sample, alone[space])
        towers = [space for space in spaces if self._teacher(space).card.reads_text]
        for space in spaces if images else ():
            teacher = self._teacher(space)
            found = embed_images(teacher, list(images.values()), teacher.card.predicted)
            vectors[space][list(images)] = found
        for space in towers if texts else ():
            vectors[space][list(texts)] = embed_texts(self._teacher(space), list(texts.values()))
        without = [space for space in spaces if space not in towers]
        read = {row: self.model.prepare({"text": text}) for row, text in texts.items() if without}
        for rows, wanted in ((others, list(spaces)), (read, without)):
            if rows:
                predicted = self.model.embed_spaces(list(rows.values()), spaces=wanted, seeds=seeds)
                for space, found in predicted.items():
                    vectors[space][list(rows)] = found
        return vectors

    def _for_model(self, sample: TeacherSample) -> Prepared:
        if sample.pixels is not None:
            return self.model.prepare({"image": sample.pixels.transpose(1, 2, 0)})
        if sample.text is not None:
            return self.model.prepare({"text": sample.text})
        if not isinstance(sample.prepared, Prepared):
            raise BadInput("expected prepared samples to fuse, not fusions")
        return sample.prepared

    def _space(self, name: str, teacher: Teacher) -> Space:
        # The length is the model's: asking the teacher for it may download its weights.
        return Space(
            name=name,
            dim=self.model.spaces[name].dim,
            title=f"{teacher.title}: {teacher.card.outputs[teacher.card.predicted]}",
            preprocessing=teacher.preprocessing(teacher.card.predicted),
            teacher=teacher.name,
            encoder=teacher.name,
        )

    def _teacher(self, space: str) -> Teacher:
        if space not in self.teachers:
            raise UnknownSpace(
                f"{self.name} with these teachers has no space {space!r}; it has "
                f"{', '.join(self.teachers)}"
            )
        return self.teachers[space]

    def _require_length(self, space: str) -> None:
        teacher, dim = self._teacher(space), self.spaces[space].dim
        made = teacher.spaces[teacher.card.predicted].dim
        if made != dim:
            raise ConfigError(
                f"{teacher!r} makes vectors of {made}, {self.name} predicts {dim} in {space}"
            )


def _no_space(model: Model, teachers: Iterable[str]) -> str:
    """The message about a model without a space of these teachers."""
    sentence = (
        f"{model.name}: none of its spaces ({', '.join(model.spaces)}) is that of "
        f"{' or '.join(teachers)}"
    )
    if all("image" in entry.readouts for entry in model.manifest.spaces.values()):
        sentence += (
            "; its teacher is another network, and it embeds images itself: leave out the teachers"
        )
    return sentence
