"""The index that a build writes to: opened or made, and refused where it does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fourm import UnknownModality, UnknownSpace
from fourm.embedder import Embedder
from indexes import Index, NotAnIndex, Reading
from retrieval.errors import UsageError
from retrieval.items import ItemKind, options_of
from retrieval.model import recipe_of
from retrieval.pictures import Listing
from retrieval.scope import names_of

ALL = "all"
"""Stands for every space of the model."""


@dataclass(frozen=True)
class Wanted:
    """What a build is asked for.

    Attributes:
        root: of the gallery.
        kind: of its items.
        depth_near: how depth maps are read; None: as before, or "low".
        spaces: embedding spaces, some of the model's, or "all"; None: the index's own, or the
            model's default for a new one.
    """

    root: Path
    kind: ItemKind
    depth_near: str | None = None
    spaces: Sequence[str] | None = None


def open_if_there(folder: Path) -> Index | None:
    """The index in a folder, if there is one."""
    try:
        return Index.open(folder)
    except NotAnIndex:
        return None  # creating one there says what is wrong with the folder, if anything is


def open_for_building(
    existing: Index | None, target: Path, model: Embedder, wanted: Wanted, listing: Listing
) -> Index:
    """The index, with the gallery and the spaces that are wanted. A new one is made if need be.

    Nothing is written before everything is checked.

    Raises:
        UsageError: an unknown space; a gallery of that kind, but of another folder.
        fourm.UnknownModality: the model does not read that kind.
        fourm.UnknownSpace: the tokenizer of a space is not on this disk.
        indexes.IndexesError: the folder is taken, the index was made with another model or its
            items read otherwise.
    """
    reading = _reading(existing, model, wanted)
    names = _spaces(model, wanted.spaces)
    if existing is None:
        names = names or [model.default_space]
        recipes = [recipe_of(model, name) for name in names]
        return Index.create(target, root=wanted.root, recipe=recipes, reading=reading)
    require_model(existing, model)
    if wanted.kind.name in existing.readings:
        existing.require_reading(reading)
        _require_root(existing, wanted, listing)
    else:
        existing.add_gallery(reading, wanted.root)
    for name in names:
        if name not in existing.recipes:
            existing.add_space(recipe_of(model, name))
    return existing


def require_model(index: Index, model: Embedder) -> None:
    """Refuse a model whose vectors cannot be compared with those of the index.

    Raises:
        indexes.RecipeMismatch: in one of its spaces.
        fourm.UnknownSpace: the tokenizer of one of them is not on this disk.
    """
    for name in index.recipes:
        if (missing := model.missing.get(name)) is not None:
            raise UnknownSpace(
                f"{model.name} is missing the space {name!r}; {missing}", where=index.folder
            )
        index.require(recipe_of(model, name if name in model.spaces else None), space=name)


def _reading(existing: Index | None, model: Embedder, wanted: Wanted) -> Reading:
    kind = wanted.kind
    if kind.input not in model.inputs:
        missing = model.missing.get(kind.input)
        raise UnknownModality(
            f"{model.name} does not read {kind.input!r}; it reads {', '.join(model.inputs)}"
            + (f"; {missing}" if missing else "")
        )
    options = options_of(kind, wanted.depth_near)
    if existing is not None and wanted.depth_near is None and kind.name in existing.readings:
        options = existing.readings[kind.name].options
    return Reading(kind.name, options, model.input_fingerprint(kind.input))


def _spaces(model: Embedder, wanted: Sequence[str] | None) -> list[str]:
    """The named spaces, each once."""
    asked = [] if wanted is None else names_of(wanted, "spaces")
    if ALL in asked:
        return list(model.spaces)
    for name in asked:
        if name in model.spaces:
            continue
        said = f"{model.name} has no space {name!r}; it has {', '.join(model.spaces)}"
        if (missing := model.missing.get(name)) is not None:
            raise UnknownSpace(f"{said}; {missing}")
        raise UsageError(said)
    return list(dict.fromkeys(asked))


def _require_root(index: Index, wanted: Wanted, listing: Listing) -> None:
    """Refuse to make the index of one gallery that of another; follow a gallery that moved."""
    kind, root = wanted.kind.name, wanted.root
    before = index.roots[kind]
    if before == root.absolute() or (before.exists() and before.samefile(root)):
        return
    known = index.snapshot(modality=kind)
    moved = not before.exists() and any(
        found.path in known
        and (known[found.path].size, known[found.path].mtime_ns) == (found.size, found.mtime_ns)
        for found in listing.pictures
    )
    if not moved:
        raise UsageError(
            f"its gallery of the kind {kind} is of the folder {before}, not of "
            f"{root}; give another --to for another folder",
            where=index.folder,
        )
    index.relocate(root, modality=kind)
