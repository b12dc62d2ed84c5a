"""A 4M-21 model whose pictures are embedded by its teachers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from fourm.errors import BadInput, ConfigError, UnknownSpace
from fourm.model.model import Model
from fourm.model.samples import How, Prepared
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

Words = Literal["tower", "model"]


class Taught:
    """A model and its teachers: pictures by the teachers, everything else by the model.

    A picture alone is embedded by the teacher of the space, in galleries and in queries. A text
    alone is read by CLIP's text tower in CLIP's space, unless `words` says otherwise. All else,
    and any combination, is predicted by the model, in the teacher's space.

    Args:
        model: a model some of whose spaces name a teacher.
        teachers: at most one of each name; only these teachers' spaces are offered.
        words: what reads a text alone in CLIP's space: `tower` or `model`.

    Attributes:
        name, title: of the model.
        inputs: what the model reads, `image`, and `text` if a teacher has a text tower.
        predictable, facts, missing: as the model's.
        made_by: space -> name of the teacher that makes a picture's vector.
        spaces: those of the model whose teacher is here, described as the teacher's.
        default_space: the first of them.

    Raises:
        UnknownSpace: no space of the model is that of one of the teachers.
        BadInput: another word for `words`.
    """

    def __init__(self, model: Model, teachers: Iterable[Teacher], *, words: str = "tower") -> None:
        if words not in get_args(Words):
            raise BadInput(f"words are read by one of {', '.join(get_args(Words))}, not {words!r}")
        self.model = model
        self.words = words
        by_name = {teacher.name: teacher for teacher in teachers}
        self.teachers: Mapping[str, Teacher] = MappingProxyType(
            {
                name: by_name[space.teacher]
                for name, space in model.spaces.items()
                if space.teacher in by_name
            }
        )
        if not self.teachers:
            raise UnknownSpace(no_teacher(model, by_name))
        self.name, self.title = model.name, f"{model.title}, pictures by its teachers"
        self.predictable, self.facts = model.predictable, model.facts
        self.missing: Mapping[str, str] = model.missing
        self.made_by = {name: teacher.name for name, teacher in self.teachers.items()}
        self.spaces: Mapping[str, Space] = MappingProxyType(
            {name: self._space(name, teacher) for name, teacher in self.teachers.items()}
        )
        self.default_space = next(iter(self.spaces))
        self._tower = words == "tower" and any(t.card.reads_text for t in self.teachers.values())
        further = ["image", *(["text"] if self._tower else [])]
        self.inputs: tuple[str, ...] = tuple(dict.fromkeys([*model.inputs, *further]))

    def __repr__(self) -> str:
        return f"Taught({self.model!r}, {list(self.teachers.values())})"

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the fingerprints of all spaces."""
        parts = "\n".join(f"{name} {self.space_fingerprint(name)}" for name in self.spaces)
        return hashlib.sha256(parts.encode()).hexdigest()

    def space_fingerprint(self, space: str) -> str:
        """SHA-256 (hex) of all that a picture's vector depends on: the teacher alone.

        So what a teacher has made can be searched with any model that predicts it.

        Raises:
            UnknownSpace: no such space.
        """
        return self._teacher(space).space_fingerprint(self._teacher(space).card.predicted)

    def input_fingerprint(self, kind: str) -> str:
        """SHA-256 (hex) of what one kind of input is embedded with, beyond `space_fingerprint`.

        Empty for pictures, which the teachers embed; all else depends on the model.

        Raises:
            UnknownModality: a kind that is not read.
        """
        if kind == "image":
            return ""
        by_tower = self._tower and kind == "text"
        parts = [kind, "tower" if by_tower else "model"]
        if kind in self.model.inputs:
            parts += [self.model.fingerprint, self.model.input_fingerprint(kind)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def prepare(self, inputs: Mapping[str, Any], *, take: Sequence[str] = ()) -> Sample:
        """Check and shrink the inputs of one sample; arguments and errors as `Model.prepare`."""
        if set(inputs) == {"image"} and not take:
            return Sample(pixels=picture(inputs["image"]))
        if self._tower and set(inputs) == {"text"} and not take:
            return Sample(text=text(inputs["text"]))
        return Sample(prepared=self.model.prepare(inputs, take=take))

    def blend(self, parts: Sequence[tuple[Sample, float]], how: How = "guided") -> Sample:
        """Several samples as one; arguments and errors as `Model.blend`.

        `guided` is a prediction of the model, from all parts; `late` sums the vectors that the
        parts have alone, those of the teachers among them.
        """
        checked = weighed(parts, how)
        if how == "late":
            return Sample(parts=checked)
        read = [(self._for_model(part), weight) for part, weight in checked]
        return Sample(prepared=self.model.blend(read, how))

    def embed(
        self, prepared: Sequence[Sample], /, *, space: str | None = None, seeds: int = 1
    ) -> Vectors:
        """Vectors of several samples in one space: float32 (B, dim); see `embed_spaces`."""
        chosen = self.default_space if space is None else space
        return self.embed_spaces(prepared, spaces=(chosen,), seeds=seeds)[chosen]

    def embed_spaces(
        self, prepared: Sequence[Sample], /, *, spaces: Sequence[str], seeds: int = 1
    ) -> dict[str, Vectors]:
        """Vectors of several samples in several spaces.

        Args:
            prepared: what `prepare` and `blend` gave.
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
        pictures = {row: s.pixels for row, s in enumerate(prepared) if s.pixels is not None}
        texts = {row: s.text for row, s in enumerate(prepared) if s.text is not None}
        others = {row: s.prepared for row, s in enumerate(prepared) if s.prepared is not None}
        for row, sample in enumerate(prepared):
            if sample.parts:
                parts = [part for part, _ in sample.parts]
                alone = self.embed_spaces(parts, spaces=spaces, seeds=seeds)
                for space in spaces:
                    vectors[space][row] = summed(sample, alone[space])
        towers = [space for space in spaces if self._teacher(space).card.reads_text]
        for space in spaces if pictures else ():
            teacher = self._teacher(space)
            found = embed_pictures(teacher, list(pictures.values()), teacher.card.predicted)
            vectors[space][list(pictures)] = found
        for space in towers if texts else ():
            tower = self._teacher(space)
            assert isinstance(tower, ClipTeacher)
            vectors[space][list(texts)] = embed_words(tower, list(texts.values()))
        without = [space for space in spaces if space not in towers]
        read = {row: self.model.prepare({"text": words}) for row, words in texts.items() if without}
        for rows, wanted in ((others, list(spaces)), (read, without)):
            if rows:
                predicted = self.model.embed_spaces(list(rows.values()), spaces=wanted, seeds=seeds)
                for space, found in predicted.items():
                    vectors[space][list(rows)] = found
        return vectors

    def _for_model(self, sample: Sample) -> Prepared:
        if sample.pixels is not None:
            return self.model.prepare({"image": sample.pixels.transpose(1, 2, 0)})
        if sample.text is not None:
            return self.model.prepare({"text": sample.text})
        if not isinstance(sample.prepared, Prepared):
            raise BadInput("the parts of a blend are prepared samples, not blends")
        return sample.prepared

    def _space(self, name: str, teacher: Teacher) -> Space:
        # The length is the model's: asking the teacher for it may download its weights.
        return Space(
            name=name,
            dim=self.model.spaces[name].dim,
            title=f"{teacher.title}: {teacher.card.outputs[teacher.card.predicted]}",
            preprocessing=teacher.preprocessing(teacher.card.predicted),
            teacher=teacher.name,
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


def no_teacher(model: Model, teachers: Iterable[str]) -> str:
    """The sentence about a model with no space of these teachers."""
    sentence = (
        f"{model.name}: none of its spaces ({', '.join(model.spaces)}) is that of "
        f"{' or '.join(teachers)}"
    )
    if all(entry.image_readout for entry in model.manifest.spaces.values()):
        sentence += (
            "; its teacher is another network, and it reads a picture as that one does already: "
            "leave out the teachers"
        )
    return sentence
