"""Which models and tokenizers there are, and which of them are on this disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fourm.hub.library import list_models
from fourm.hub.names import ENTRIES, place_of


@dataclass(frozen=True)
class Listed:
    """A model or a tokenizer.

    Attributes:
        name: short name.
        kind: `model` or `tokenizer`.
        title: what it is, or what it is for.
        inputs, spaces: kinds that a model reads and names of its embedding spaces; empty for
            tokenizers.
        where: its folder, or its name on the hub.
        available: whether it is on this disk.
        size: of its files on this disk, in bytes; None where it is not.
        note: what else one should know.
    """

    name: str
    kind: str
    title: str
    inputs: tuple[str, ...]
    spaces: tuple[str, ...]
    where: str
    available: bool
    size: int | None
    note: str


def listed() -> list[Listed]:
    """Bundled models, official models, official tokenizers; reads no weights, asks no network."""
    models = [
        Listed(
            name=card.name,
            kind="model",
            title=card.title,
            inputs=card.inputs,
            spaces=card.spaces,
            where=card.where,
            available=card.available,
            size=_size(card.name),
            note=card.note,
        )
        for card in list_models()
    ]
    tokenizers = [
        Listed(
            name=entry.name,
            kind="tokenizer",
            title=entry.purpose,
            inputs=(),
            spaces=(),
            where=str(entry.repository),
            available=place_of(entry) is not None,
            size=_size(entry.name),
            note="",
        )
        for entry in ENTRIES.values()
        if entry.kind == "tokenizer"
    ]
    return [*models, *tokenizers]


def _size(name: str) -> int | None:
    place = place_of(ENTRIES[name]) if name in ENTRIES else None
    return size_of(place) if place is not None else None


def size_of(place: Path) -> int:
    """Bytes of a file, or of all files in a folder, those that links lead to counted."""
    files = [place] if place.is_file() else place.rglob("*")
    return sum(path.stat().st_size for path in files if path.is_file())
