"""Finding a model by name, and listing those there are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fourm.checkpoints.files import TENSORS
from fourm.errors import ModelNotFound
from fourm.hub.folders import folder_manifest, known_manifest
from fourm.hub.manifest import BUNDLE, Manifest
from fourm.hub.official import MODELS, OWNER, SPACES, is_tokenizer, official_name
from fourm.hub.sources import local_snapshot, resolve_source
from fourm.modalities.kinds import KINDS

if TYPE_CHECKING:
    from fourm.model.model import Model
    from fourm.teachers import TeacherModel

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


@dataclass(frozen=True)
class ModelCard:
    """What `list_models` says of one model.

    Attributes:
        name: what `load_model` takes.
        title: a line for people.
        inputs, spaces: kinds that it reads, names of its embedding spaces.
        where: its folder, or its name on the hub.
        available: whether it loads without the network.
        note: what else one should know.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    spaces: tuple[str, ...]
    where: str
    available: bool
    note: str


def load_model(
    source: str | os.PathLike[str], device: str = "auto", dtype: str = "auto"
) -> Model | TeacherModel:
    """The model of a name.

    Args:
        source: a bundled name (`mini`); an official one that was pulled (`4M-21_B`,
            `EPFL-VILAB/4M-21_B`); a local folder with a `bundle.json`, or with an official-format
            model that has its tokenizers' folders beside it; a hub name (`owner/name`) of either;
            a teacher alone (`clip-b16`, `dinov2-b14`), or one whose weights lie elsewhere
            (`clip-b16=path`).
        device: `auto`, `cpu`, `cuda`, ...
        dtype: `auto`, `float32`, `bfloat16` or `float16`.

    Raises:
        ModelNotFound: nothing of that name.
        CheckpointError: it is damaged, or its parts do not go together.
        BadInput: a device or dtype that this machine does not have.
    """
    from fourm.teachers import TeacherModel, make_teacher, teacher_names

    name, _, path = os.fspath(source).partition("=")
    if name in teacher_names():
        return TeacherModel(make_teacher(name, path or None, device, dtype))
    return load_4m(source, device, dtype)


def load_4m(source: str | os.PathLike[str], device: str = "auto", dtype: str = "auto") -> Model:
    """The model of a name, teachers excepted: one that predicts; otherwise as `load_model`.

    Raises:
        ModelNotFound: also for a teacher alone.
    """
    from fourm.model.model import Model
    from fourm.teachers import teacher_names

    if (name := os.fspath(source).partition("=")[0]) in teacher_names():
        raise ModelNotFound(f"{name} is a teacher alone and predicts nothing; give a 4M model")
    return Model(find_manifest(os.fspath(source)), device, dtype)


def find_manifest(source: str) -> Manifest:
    """The manifest behind a name; arguments and errors as `load_model`."""
    if source in bundled():
        return Manifest.read(WEIGHTS / source)
    if not Path(source).is_dir():
        if name := official_name(source):
            return known_manifest(name)
        if is_tokenizer(source):
            raise ModelNotFound(f"{source} is a tokenizer; {_known()}")
    try:
        folder = resolve_source(source)
    except ModelNotFound as error:
        raise ModelNotFound(f"{error}; {_known()}") from None
    if (folder / BUNDLE).is_file():
        return Manifest.read(folder)
    if folder.name == TENSORS:  # what lies beside it belongs to it
        folder = folder.parent
    inner = [name for name in MODELS if (folder / name / TENSORS).is_file()]
    if inner and not (folder / TENSORS).is_file():
        raise ModelNotFound(
            f"{folder} is a folder of models, not one itself: give {folder / inner[0]}"
        )
    return folder_manifest(folder)


def _known() -> str:
    from fourm.teachers import teacher_names

    return f"known models: {', '.join([*bundled(), *MODELS, *teacher_names()])}"


def bundled() -> tuple[str, ...]:
    """Names of the models that come with this package."""
    return tuple(sorted(path.parent.name for path in WEIGHTS.glob(f"*/{BUNDLE}")))


def list_models() -> list[ModelCard]:
    """The bundled models, the official ones, the teachers; reads no weights."""
    cards = []
    for name in bundled():
        manifest = Manifest.read(WEIGHTS / name)
        cards.append(
            ModelCard(
                name=name,
                title=manifest.title,
                inputs=tuple(manifest.kinds),
                spaces=tuple(manifest.spaces),
                where=str(WEIGHTS / name),
                available=True,
                note="comes with this package",
            )
        )
    for name, title in MODELS.items():
        cached = local_snapshot(f"{OWNER}/{name}") is not None
        cards.append(
            ModelCard(
                name=name,
                title=title,
                inputs=tuple(KINDS),
                spaces=tuple(SPACES),
                where=f"{OWNER}/{name}",
                available=cached,
                note="downloaded" if cached else "official; `fourm models pull` fetches it",
            )
        )
    return [*cards, *_teacher_cards()]


def _teacher_cards() -> list[ModelCard]:
    from fourm.teachers.known import KNOWN

    cards = []
    for name, kind in KNOWN.items():
        cached = _in_hub_cache(kind.hub, kind.patterns[-1])
        cards.append(
            ModelCard(
                name=name,
                title=f"{kind.title}, a network that 4M-21 learned from",
                inputs=("image", "text") if kind.reads_words else ("image",),
                spaces=tuple(kind.readouts),
                where=kind.hub,
                available=cached,
                note="downloaded" if cached else "downloaded when first used",
            )
        )
    return cards


def _in_hub_cache(repository: str, file: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repository, file), str)
