"""The models and the official tokenizers, by short names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fourm.errors import ModelNotFound
from fourm.hub.cache import cache_folder
from fourm.hub.manifest import MANIFEST_FILE
from fourm.hub.official import (
    MODELS,
    OWNER,
    TEXT_TOKENIZER,
    TEXT_TOKENIZER_NAME,
    tokenizer_repositories,
    tokenizers,
)
from fourm.hub.sources import is_hub_name, local_snapshot
from fourm.hub.teachers import TEACHERS
from fourm.hub.text_tokenizer import REPOSITORY

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
"""The models that come with this package, a folder each."""


@dataclass(frozen=True)
class Entry:
    """A model or a tokenizer.

    Attributes:
        name: short and unique, e.g. `4M-21_B`, `tokenizer/rgb`.
        kind: `model` or `tokenizer`.
        repository: on the hub; None for what comes with this package.
        purpose: one-line description.
        modalities: those of 4M-21 that a tokenizer makes and decodes; empty for models.
    """

    name: str
    kind: Literal["model", "tokenizer"]
    repository: str | None
    purpose: str
    modalities: tuple[str, ...] = ()


def bundled() -> dict[str, Path]:
    """Name -> folder of the models that come with this package."""
    return {path.parent.name: path.parent for path in sorted(WEIGHTS.glob(f"*/{MANIFEST_FILE}"))}


def entries() -> dict[str, Entry]:
    """Short name -> entry: bundled models, official models, official tokenizers."""
    every = [Entry(name, "model", None, "comes with this package") for name in bundled()]
    every += [Entry(name, "model", f"{OWNER}/{name}", title) for name, title in MODELS.items()]
    made = tokenizer_repositories()
    for name, one in tokenizers().items():
        modalities = tuple(modality for modality, repository in made.items() if repository == name)
        every.append(Entry(one.short_name, "tokenizer", f"{OWNER}/{name}", one.purpose, modalities))
    every.append(
        Entry(TEXT_TOKENIZER_NAME, "tokenizer", REPOSITORY, "text, and what is written as text")
    )
    return {entry.name: entry for entry in every}


def find(name: str) -> Entry:
    """The entry of a short name, or of the name of an official repository, with its owner or not.

    Raises:
        ModelNotFound: no such name; the message lists those there are.
    """
    entry = by_repository(name.removeprefix(f"{OWNER}/")) or entries().get(name)
    if entry is None:
        said = f"unknown model {name!r}; known: {', '.join(entries())}"
        if name in TEACHERS:
            said = f"{name} is a teacher: it is downloaded on first use"
        raise ModelNotFound(said)
    return entry


def folder_of(source: str) -> Path:
    """The folder (or file) of a model or tokenizer that is on this disk; does not use the network.

    Args:
        source: a folder, a .safetensors file, a name as `find` takes it, or a name on the hub.

    Raises:
        ModelNotFound: no folder, and nothing of that name on this disk.
    """
    if not source:
        raise ModelNotFound(f"the name of the model is empty; known: {', '.join(entries())}")
    folder = Path(source).expanduser()
    entry = entries().get(source) or by_repository(source.removeprefix(f"{OWNER}/"))
    if entry is not None and entry.repository is None:
        return WEIGHTS / entry.name
    if folder.is_dir() or (folder.suffix == ".safetensors" and folder.is_file()):
        return folder
    if entry is not None:
        found = place_of(entry)
    else:
        found = local_snapshot(source) if is_hub_name(source) else None
    if found is None and entry is not None:
        raise ModelNotFound(
            f"{source} is not on this disk: `fourm models pull {entry.name}` fetches it"
        )
    if found is None:
        raise ModelNotFound(f"{source} is neither a folder nor a model that was downloaded")
    return found


def place_of(entry: Entry) -> Path | None:
    """Where an entry lies on this disk: a folder, for the text tokenizer a file; or None."""
    if entry.repository is None:
        return WEIGHTS / entry.name
    if entry.name == TEXT_TOKENIZER_NAME:
        path = cache_folder() / TEXT_TOKENIZER
        return path if path.is_file() else None
    return local_snapshot(entry.repository)


def by_repository(name: str) -> Entry | None:
    """The entry of an official repository by its name without the owner, or None."""
    for entry in entries().values():
        if entry.repository == f"{OWNER}/{name}":
            return entry
    return None
