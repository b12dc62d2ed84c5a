"""A model by its name: `load_model` and `load_4m`."""

from __future__ import annotations

import os

from fourm.errors import ModelNotFound
from fourm.hub.finding import find_manifest
from fourm.hub.teachers import TEACHERS
from fourm.model import Model
from fourm.teachers import TeacherModel, make_teacher


def load_model(
    source: str | os.PathLike[str], device: str = "auto", dtype: str = "auto"
) -> Model | TeacherModel:
    """The model of a name. No weights are read yet.

    Args:
        source: a bundled name (`mini`); an official one that was pulled (`4M-21_B`,
            `EPFL-VILAB/4M-21_B`); a local folder with a `bundle.json`, or with a model in the
            official format and its tokenizers' folders next to it; a hub name (`owner/name`) of
            either; a teacher alone (`clip-b16`, `dinov2-b14`), or one whose weights lie elsewhere
            (`clip-b16=path`).
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: `auto`, `float32`, `bfloat16` or `float16`.

    Raises:
        ModelNotFound: nothing of that name.
        CheckpointError: it is damaged, or its parts do not fit together.
        BadInput: a device or dtype that this machine does not have.
    """
    name, _, path = os.fspath(source).partition("=")
    if name in TEACHERS:
        return TeacherModel(make_teacher(name, path or None, device, dtype))
    return load_4m(source, device, dtype)


def load_4m(source: str | os.PathLike[str], device: str = "auto", dtype: str = "auto") -> Model:
    """As `load_model`, but a model that predicts: no teacher.

    Raises:
        ModelNotFound: also for a teacher.
        CheckpointError, BadInput: as `load_model`.
    """
    if (name := os.fspath(source).partition("=")[0]) in TEACHERS:
        raise ModelNotFound(f"{name} is a teacher and predicts nothing; give a 4M model")
    return Model(find_manifest(os.fspath(source)), device, dtype)
