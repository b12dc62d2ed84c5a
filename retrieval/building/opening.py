"""The index that a build writes to: opened or made, and checked against what is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fourm import UnknownModality, UnknownSpace
from fourm.embedder import Embedder
from indexes import Index, IndexesError, NotAnIndex, Reading, SnapshotEntry
from retrieval.errors import UsageError
from retrieval.images import FoundItem, Listing
from retrieval.items import options_of
from retrieval.loading import NOTE
from retrieval.modalities import Source, source_named
from retrieval.model import comparable_recipe, default_spaces, recipe_of, space_of, succeeds
from retrieval.scope import ALL, names_of


@dataclass(frozen=True)
class Wanted:
    """The gallery and the spaces to index.

    Attributes:
        root: of the gallery.
        source: reads its items.
        depth_near: which values of depth maps are near; None: as before, or "low".
        seg_format: format of segmentation maps; None: as before, or "auto".
        spaces: embedding spaces of the model, or "all"; None: those of the index, and for a new
            one, or one of a former version of the model, those that are searched by default.
        moved: the gallery was moved here, and its old folder still exists.
    """

    root: Path
    source: Source
    depth_near: str | None = None
    spaces: Sequence[str] | None = None
    seg_format: str | None = None
    moved: bool = False


def open_if_there(folder: Path) -> Index | None:
    """The index in a folder, or None."""
    try:
        return Index.open(folder)
    except NotAnIndex:
        return None  # Index.create reports what is wrong with the folder


def patterns_for(
    existing: Index | None, modality: str, given: Sequence[str] | None
) -> tuple[str, ...]:
    """The patterns of names to leave out: those that are given, or those of the index.

    Raises:
        UsageError: a pattern with a line break.
    """
    if given is None:
        return () if existing is None else existing.exclude.get(modality, ())
    patterns = names_of(given, "exclude")
    if broken := [pattern for pattern in patterns if len(pattern.splitlines()) > 1]:
        raise UsageError(f"a pattern is one line, got {broken[0]!r}", where="exclude")
    return tuple(pattern for pattern in patterns if pattern.strip())


def open_for_building(
    existing: Index | None, target: Path, model: Embedder, wanted: Wanted, listing: Listing
) -> Index:
    """The index with the gallery and spaces that are wanted, which is made if there is none.

    Everything is checked before anything is written.

    Raises:
        UsageError: an unknown space; the gallery of that modality is of another folder.
        fourm.UnknownModality: the model does not read that modality.
        fourm.UnknownSpace: the tokenizer of a space is not installed.
        indexes.IndexesError: the folder is taken; the index was made with another model, or its
            items were read in another way.
    """
    reading = _reading(existing, model, wanted)
    names = _spaces(model, wanted.spaces, () if existing is None else existing.recipes)
    if existing is None:
        names = names or default_spaces(model)
        recipes = [recipe_of(model, name) for name in names]
        return Index.create(target, root=wanted.root, recipe=recipes, reading=reading)
    require_model(existing, model)
    if wanted.spaces is None and any(succeeds(model, one) for one in existing.recipes.values()):
        names = default_spaces(model)
    if wanted.source.name in existing.readings:
        existing.require_reading(reading)
        _require_root(existing, wanted, listing)
    else:
        existing.add_gallery(reading, wanted.root)
    held = {space_of(model, name) for name in existing.recipes}
    for name in names:
        if space_of(model, name) not in held:
            existing.add_space(recipe_of(model, name))
    return existing


def discard_if_empty(index: Index) -> None:
    """Remove an index that was made by a build that failed before it had embedded anything."""
    with suppress(OSError, IndexesError):
        if index.delete_if_empty():
            (index.folder / NOTE).unlink(missing_ok=True)
            index.folder.rmdir()


def require_model(index: Index, model: Embedder) -> None:
    """Check that the vectors of a model can be compared with those of the index.

    Raises:
        indexes.RecipeMismatch: they cannot, in one of its spaces.
        fourm.UnknownSpace: the tokenizer of one of them is not installed.
    """
    for name in index.recipes:
        if (missing := model.missing.get(name)) is not None:
            raise UnknownSpace(f"{model.name} has no space {name!r}; {missing}", where=index.folder)
        index.require(comparable_recipe(model, index.recipes[name]), space=name)


def require_reader(index: Index, model: Embedder, gallery: str) -> None:
    """Check that the model reads the modality of a gallery as when its items were embedded.

    Raises:
        indexes.ReadingMismatch: it does not.
    """
    modality = source_named(gallery).modality
    if modality in model.inputs:
        reader = model.input_fingerprint(modality)
        index.require_reading(replace(index.readings[gallery], reader=reader))


def _reading(existing: Index | None, model: Embedder, wanted: Wanted) -> Reading:
    source = wanted.source
    if source.modality not in model.inputs:
        missing = model.missing.get(source.modality)
        raise UnknownModality(
            f"{model.name} does not read {source.modality!r}; it reads {', '.join(model.inputs)}"
            + (f"; {missing}" if missing else "")
        )
    given = {"depth_near": wanted.depth_near, "seg_format": wanted.seg_format}
    options = options_of(source, given)
    if existing is not None and source.name in existing.readings:
        before = existing.readings[source.name].options
        if not any(given.values()) or (
            not before
            and all(given[name] == value for name, value in source.former_modifiers.items())
        ):
            options = before
    return Reading(source.name, options, model.input_fingerprint(source.modality))


def _spaces(model: Embedder, wanted: Sequence[str] | None, held: Collection[str]) -> list[str]:
    """The named spaces, each once; a former name is accepted where the index holds it."""
    asked = [] if wanted is None else names_of(wanted, "spaces")
    if wanted is not None and not asked:
        raise UsageError("expected at least one", where="spaces")
    if ALL in asked:
        return list(model.spaces)
    for name in asked:
        now = space_of(model, name)
        if name in model.spaces or (now is not None and name in held):
            continue
        said = f"{model.name} has no space {name!r}; it has {', '.join(model.spaces)}"
        if now is not None:
            raise UsageError(f"the space {name!r} of {model.name} is called {now!r} now")
        if (missing := model.missing.get(name)) is not None:
            raise UnknownSpace(f"{said}; {missing}")
        raise UsageError(said)
    return list(dict.fromkeys(asked))


def _require_root(index: Index, wanted: Wanted, listing: Listing) -> None:
    """Check that the gallery is of the same folder as before, or that it was moved.

    Without being told, it was moved if the old folder is gone and a file is as it was before.
    """
    modality, root = wanted.source.name, wanted.root
    before = index.roots[modality]
    if before == root.absolute() or (before.exists() and before.samefile(root)):
        return
    known = index.snapshot(modality=modality)
    here = [found for found in listing.items if found.path in known]
    if wanted.moved:
        if not here:
            raise UsageError(
                f"--moved: {root} has none of the {len(known)} files of this gallery; the index "
                "was not changed",
                where=index.folder,
            )
    elif before.exists() or not any(_as_before(known[found.path], found) for found in here):
        exists = ", and the old folder still exists" if before.exists() else ""
        raise UsageError(
            f"its gallery of modality {modality} is of the folder {before}, got {root}{exists}. If "
            "the gallery was moved there, add --moved; otherwise use another index",
            where=index.folder,
        )
    index.relocate(root, modality=modality)


def _as_before(known: SnapshotEntry, found: FoundItem) -> bool:
    return (known.size, known.mtime_ns) == (found.size, found.mtime_ns)
