"""A 4M-21 model whose pictures are embedded by its teachers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from fourm.bundle.model import Model, Prepared
from fourm.bundle.spaces import Space
from fourm.errors import BadInput, ConfigError, UnknownSpace
from fourm.teachers.clip import ClipTeacher
from fourm.teachers.samples import Pixels, Vectors, embed_pictures, embed_words, picture, text
from fourm.teachers.teacher import Teacher

Words = Literal["tower", "model"]


@dataclass(frozen=True)
class Sample:
    """One sample: a picture alone, a text alone, or what only the model can read.

    Attributes:
        pixels: of a picture alone, uint8 (3, 224, 224).
        text: of a text alone, where a text tower may read it.
        prepared: what the model prepared of anything else; None for a text that a tower may read,
            which the model prepares if it comes to that.
    """

    pixels: Pixels | None = None
    text: str | None = None
    prepared: Prepared | None = None


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
        self.spaces: Mapping[str, Space] = MappingProxyType(
            {name: self._space(name, teacher) for name, teacher in self.teachers.items()}
        )
        self.default_space = next(iter(self.spaces))
        self._tower = words == "tower" and any(t.reads_words for t in self.teachers.values())
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
        return self._teacher(space).space_fingerprint(self._teacher(space).predicted)

    def prepare(self, inputs: Mapping[str, Any]) -> Sample:
        """Check and shrink the inputs of one sample; arguments and errors as `Model.prepare`."""
        if set(inputs) == {"image"}:
            return Sample(pixels=picture(inputs["image"]))
        if self._tower and set(inputs) == {"text"}:
            return Sample(text=text(inputs["text"]))
        return Sample(prepared=self.model.prepare(inputs))

    def embed(self, prepared: Sequence[Sample], /, *, space: str | None = None) -> Vectors:
        """Vectors of several samples: float32 (B, dim), rows of length 1.

        Raises:
            UnknownSpace: no such space.
            ConfigError: the teacher's vectors have another length than those that are predicted.
        """
        chosen = self.default_space if space is None else space
        teacher = self._teacher(chosen)
        dim = self.spaces[chosen].dim
        made = teacher.spaces[teacher.predicted].dim
        if made != dim:
            raise ConfigError(
                f"{teacher!r} makes vectors of {made}, {self.name} predicts {dim} in {chosen}"
            )
        vectors = np.zeros((len(prepared), dim), np.float32)

        def fill(rows: list[int], embed: Callable[[list[Sample]], Vectors]) -> None:
            if rows:
                vectors[rows] = embed([prepared[row] for row in rows])

        def by_teacher(samples: list[Sample]) -> Vectors:
            pictures = [sample.pixels for sample in samples if sample.pixels is not None]
            return embed_pictures(teacher, pictures, teacher.predicted)

        def by_tower(samples: list[Sample]) -> Vectors:
            assert isinstance(teacher, ClipTeacher)
            return embed_words(teacher, [sample.text or "" for sample in samples])

        def by_model(samples: list[Sample]) -> Vectors:
            contents = [
                sample.prepared or self.model.prepare({"text": sample.text}) for sample in samples
            ]
            return self.model.embed(contents, space=chosen)

        rows: dict[str, list[int]] = {"pictures": [], "texts": [], "others": []}
        for row, sample in enumerate(prepared):
            if sample.pixels is not None:
                rows["pictures"].append(row)
            elif sample.text is not None and teacher.reads_words:
                rows["texts"].append(row)
            else:
                rows["others"].append(row)
        fill(rows["pictures"], by_teacher)
        fill(rows["texts"], by_tower)
        fill(rows["others"], by_model)
        return vectors

    def embed_spaces(
        self, prepared: Sequence[Sample], /, *, spaces: Sequence[str]
    ) -> dict[str, Vectors]:
        """`embed` for several spaces: name -> float32 (B, dim)."""
        return {space: self.embed(prepared, space=space) for space in spaces}

    def _space(self, name: str, teacher: Teacher) -> Space:
        # The length is the model's: asking the teacher for it may download its weights.
        return Space(
            name=name,
            dim=self.model.spaces[name].dim,
            title=f"{teacher.title}: {teacher.readouts[teacher.predicted]}",
            preprocessing=teacher.preprocessing(teacher.predicted),
            teacher=teacher.name,
        )

    def _teacher(self, space: str) -> Teacher:
        if space not in self.teachers:
            raise UnknownSpace(
                f"{self.name} with these teachers has no space {space!r}; it has "
                f"{', '.join(self.teachers)}"
            )
        return self.teachers[space]


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
