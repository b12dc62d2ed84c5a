"""The kinds of galleries: what their items are, and in which files they lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from retrieval.errors import UsageError
from retrieval.modalities import sources
from retrieval.pictures.finding import PICTURE_SUFFIXES
from retrieval.queries import READERS
from retrieval.queries.arrays import NEAR

Holds = Literal["one", "lines"]

IMAGE = "image"
TEXT_SUFFIX, OBJECTS_SUFFIX = ".txt", ".jsonl"

_ARRAY = frozenset({".npy"})
_JSON = frozenset({".json"})
_LINES = frozenset({TEXT_SUFFIX, OBJECTS_SUFFIX})


@dataclass(frozen=True)
class ItemKind:
    """A kind of gallery.

    Attributes:
        name: one of `retrieval.queries.READERS`, which reads an item.
        input: the kind of input that this is to the model.
        what: its items, for people.
        suffixes: of the files that belong to it, in lower case.
        holds: one item a file, or one a line.
    """

    name: str
    input: str
    what: str
    suffixes: frozenset[str]
    holds: Holds = "one"


def _kinds() -> dict[str, ItemKind]:
    pictures = {
        IMAGE: "pictures",
        "normals": "surface normals",
        "edges": "edge drawings",
        "canny": "pictures",
        "sam_edges": "edge drawings",
        "palette_of": "pictures",
        "image_tokens": "pictures",
    }
    others = {
        "seg": ItemKind("seg", "seg", "segmentation maps", PICTURE_SUFFIXES | _ARRAY),
        "depth": ItemKind("depth", "depth", "depth maps", PICTURE_SUFFIXES | _ARRAY),
        "boxes": ItemKind("boxes", "boxes", "files of boxes", _JSON | {TEXT_SUFFIX}),
        "sam": ItemKind("sam", "sam", "files of masks", _JSON),
        "poses": ItemKind("poses", "poses", "files of poses", _JSON),
    }
    lines = {"text": "texts", "palette": "palettes", "metadata": "lines of metadata"}
    found = {}
    for name in READERS:
        if name in others:
            found[name] = others[name]
        elif name in pictures:
            found[name] = ItemKind(name, sources()[name].modality, pictures[name], PICTURE_SUFFIXES)
        elif name in lines:
            found[name] = ItemKind(name, name, lines[name], _LINES, "lines")
        else:
            found[name] = ItemKind(name, name, ".npy files", _ARRAY)
    return found


ITEM_KINDS: Mapping[str, ItemKind] = _kinds()
"""Whatever a query can be read from, by name."""


def item_kind(name: str) -> ItemKind:
    """The kind of that name; `-` may stand for `_`.

    Raises:
        UsageError: there is none.
    """
    found = ITEM_KINDS.get(name.replace("-", "_")) if isinstance(name, str) else None
    if found is None:
        raise UsageError(f"unknown kind of gallery: {name}; known: {', '.join(ITEM_KINDS)}")
    return found


def options_of(kind: ItemKind, depth_near: str | None) -> str:
    """How files of this kind are understood, as an index remembers it.

    Raises:
        UsageError: `depth_near` for another kind than depth, or another word than low and high.
    """
    if kind.name != "depth":
        if depth_near is not None:
            raise UsageError(f"says how depth maps are read, not {kind.what}", where="depth near")
        return ""
    near = NEAR[0] if depth_near is None else depth_near
    if near not in NEAR:
        raise UsageError(f"expected low or high, got {near!r}", where="depth near")
    return f"depth_near={near}"
