"""The model, as galleries see it: what it must be able to do, and how its vectors are made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from indexes import Recipe
from indexes.recipe import MODEL

Vectors = NDArray[np.float32]


class Space(Protocol):
    """An embedding space of a model: `dim` numbers a vector, made as `preprocessing` says."""

    @property
    def name(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def preprocessing(self) -> str: ...


class Model(Protocol):
    """What `fourm.load_model` gives. `prepare` is called from several threads at once.

    `embed_spaces` gives unit rows, float32 (B, dim), for each space, all from one pass.
    `space_fingerprint` changes whenever vectors of that space would, whatever they are made from
    of images, words and maps; `input_fingerprint` whenever those made from that kind would beyond
    that, and is empty where `space_fingerprint` says it all. `facts` are the keys of metadata that
    it reads.
    """

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def inputs(self) -> Sequence[str]: ...
    @property
    def spaces(self) -> Mapping[str, Space]: ...
    @property
    def default_space(self) -> str: ...
    @property
    def predictable(self) -> Sequence[str]: ...
    @property
    def facts(self) -> Sequence[str]: ...

    def prepare(self, inputs: Mapping[str, Any], /, *, take: Sequence[str] = ()) -> Any: ...
    def blend(
        self, parts: Sequence[tuple[Any, float]], /, *, how: Literal["guided", "late"]
    ) -> Any: ...
    def embed(self, prepared: Sequence[Any], /, *, space: str) -> Vectors: ...
    def embed_spaces(
        self, prepared: Sequence[Any], /, *, spaces: Sequence[str]
    ) -> Mapping[str, Vectors]: ...
    def space_fingerprint(self, space: str) -> str: ...
    def input_fingerprint(self, kind: str) -> str: ...


ModelLike = str | os.PathLike[str] | Model
"""A bundled or official name, a folder, a hub name, or a model that is loaded already."""


def lacking(model: Model, what: str) -> str | None:
    """What a space or a kind of the model needs that is not on this disk, and the way to it.

    None where nothing is missing.
    """
    missing: Mapping[str, str] = getattr(model, "missing", {})
    return missing.get(what)


def recipe_of(model: Model, space: str | None = None) -> Recipe:
    """How this model's vectors are made, as an index remembers it."""
    chosen = model.spaces[space or model.default_space]
    # Whatever model is beside it: what a teacher has made depends on the teacher alone.
    teacher = getattr(model, "made_by", {}).get(chosen.name)
    return Recipe(
        model=teacher or model.name,
        fingerprint=model.space_fingerprint(chosen.name),
        space=chosen.name,
        dim=chosen.dim,
        preprocessing=chosen.preprocessing,
        encoder=teacher or MODEL,
    )
