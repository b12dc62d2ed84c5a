"""The model, as galleries see it: what it must be able to do, and loading it when it is needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from indexes import Index, Recipe
from indexes.recipe import MODEL
from retrieval.encoders import Teachers, remember
from retrieval.errors import ModelUnavailable

DEFAULT_MODEL = "mini"

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


class LazyModel:
    """Loads the model when it is first asked for, once, whichever thread asks first.

    `remembered_by` is the index whose own model this is: its name alone may not be enough to find
    a model that lay in some folder. `teachers` embed the pictures in its place.
    """

    def __init__(
        self,
        wanted: ModelLike,
        device: str = "auto",
        dtype: str = "auto",
        *,
        remembered_by: Path | None = None,
        teachers: Teachers | None = None,
    ) -> None:
        self._wanted = wanted
        self._teachers = teachers
        self._remembered_by = remembered_by
        self._device = device
        self._dtype = dtype
        self._lock = threading.Lock()
        self._model: Model | None = None

    def get(self) -> Model:
        """The model; loading it may raise `fourm.FourmError` or `ModelUnavailable`."""
        with self._lock:
            if self._model is None:
                model = self._load()
                if self._teachers is not None:
                    model = self._teachers.with_model(model, self._device, self._dtype)
                self._model = model
            return self._model

    def remember(self, index: Index) -> None:
        """Let an index that teachers made remember how to load them and this model again."""
        remember(index, self._wanted, self.get(), self._teachers)

    def _load(self) -> Model:
        if not isinstance(self._wanted, (str, os.PathLike)):
            return self._wanted
        from fourm import ModelNotFound, load_model

        name = os.fspath(self._wanted)
        try:
            return cast(Model, load_model(name, device=self._device, dtype=self._dtype))
        except ModelNotFound as error:
            if self._remembered_by is None:
                raise
            raise ModelUnavailable(
                f"{self._remembered_by}: made with the model {name!r}, which is not found by that "
                f"name ({error}); give its folder or hub name as the model (--model)"
            ) from error


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
