"""Which models and tokenizers there are, and which of them are on this disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fourm.hub.manifest import Manifest
from fourm.hub.names import Entry, bundled, entries, place_of
from fourm.hub.official import MODELS, spaces
from fourm.hub.sources import is_cached
from fourm.hub.teachers import TEACHERS, TeacherCard
from fourm.modalities import MODALITIES


@dataclass(frozen=True)
class ModelCard:
    """A model, a teacher or a tokenizer, described without reading its weights.

    Attributes:
        name: what `load_model` takes, and `fourm models` for tokenizers.
        kind: `model` (teachers, too) or `tokenizer`.
        title: one-line description.
        inputs: the modalities that a model reads; empty for tokenizers.
        spaces: names of its embedding spaces; empty for tokenizers.
        where: its folder, or its name on the hub.
        available: whether it loads without the network.
        note: further information.
        size: of its files on this disk, in bytes; None where it is not, and for teachers.
    """

    name: str
    kind: Literal["model", "tokenizer"]
    title: str
    inputs: tuple[str, ...]
    spaces: tuple[str, ...]
    where: str
    available: bool
    note: str
    size: int | None


def list_models() -> list[ModelCard]:
    """The bundled models, the official ones, the teachers; does not use the network."""
    return [
        *(_bundled(name, folder) for name, folder in bundled().items()),
        *(_official(entries()[name]) for name in MODELS),
        *(_teacher(card) for card in TEACHERS.values()),
    ]


def list_tokenizers() -> list[ModelCard]:
    """The official tokenizers; does not use the network."""
    return [
        _card(entry, (), (), str(entry.repository), place_of(entry), "")
        for entry in entries().values()
        if entry.kind == "tokenizer"
    ]


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files in a folder; those that links lead to count."""
    files = [place] if place.is_file() else place.rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())


def _bundled(name: str, folder: Path) -> ModelCard:
    manifest = Manifest.read(folder)
    entry = Entry(name, "model", None, manifest.title)
    inputs, spaces = tuple(manifest.inputs), tuple(manifest.spaces)
    return _card(entry, inputs, spaces, str(folder), folder, "comes with this package")


def _official(entry: Entry) -> ModelCard:
    place = place_of(entry)
    note = "official; `fourm models pull` fetches it" if place is None else "downloaded"
    return _card(
        entry,
        tuple(name for name, one in MODALITIES.items() if one.official),
        tuple(spaces()),
        str(entry.repository),
        place,
        note,
    )


def _card(
    entry: Entry,
    inputs: tuple[str, ...],
    spaces: tuple[str, ...],
    where: str,
    place: Path | None,
    note: str,
) -> ModelCard:
    size = None if place is None else size_of(place)
    available = place is not None
    return ModelCard(
        entry.name, entry.kind, entry.purpose, inputs, spaces, where, available, note, size
    )


def _teacher(card: TeacherCard) -> ModelCard:
    cached = is_cached(card.repository, card.files[-1])
    return ModelCard(
        name=card.name,
        kind="model",
        title=f"{card.title}, a network that 4M-21 learned from",
        inputs=card.inputs,
        spaces=tuple(card.outputs),
        where=card.repository,
        available=cached,
        note="downloaded" if cached else "downloaded on first use",
        size=None,
    )
