"""How galleries name a model, and how an index remembers what made its vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fourm.embedder import Embedder, Vectors
from indexes import Recipe
from indexes.recipe import MODEL
from retrieval.memory import memory_errors

ModelLike = str | os.PathLike[str] | Embedder
"""A bundled or official name, a folder, a hub name, or a model that is loaded already."""


def space_of(model: Embedder, name: str) -> str | None:
    """The model's name of the space that an index calls `name`; None: it has no such space.

    A space may have been renamed since the index was made.
    """
    if name in model.spaces:
        return name
    former = (space.name for space in model.spaces.values() if space.former_name == name)
    return next(former, None)


def embed_spaces(
    model: Embedder, prepared: Sequence[Any], spaces: Sequence[str]
) -> dict[str, Vectors]:
    """As `Embedder.embed_spaces`, with the spaces named as an index names them.

    Raises:
        RetrievalError: there is not enough memory.
    """
    names = {name: space_of(model, name) or name for name in spaces}
    with memory_errors("embed fewer items at a time (--batch-size), or take a smaller model"):
        vectors = model.embed_spaces(prepared, spaces=tuple(dict.fromkeys(names.values())))
    return {name: vectors[now] for name, now in names.items()}


def recipe_of(model: Embedder, space: str | None = None) -> Recipe:
    """How this model's vectors are made, as an index remembers it.

    Args:
        model: any embedder.
        space: as the index names it; default: the model's default space.
    """
    wanted = space or model.default_space
    chosen = model.spaces[space_of(model, wanted) or wanted]
    # What a teacher has made depends on the teacher alone, whatever model it comes with.
    return Recipe(
        model=chosen.encoder or model.name,
        fingerprint=model.space_fingerprint(chosen.name),
        space=wanted,
        dim=chosen.dim,
        preprocessing=chosen.preprocessing,
        encoder=chosen.encoder or MODEL,
        precision=None if chosen.encoder else chosen.precision,
    )


def comparable_recipe(model: Embedder, held: Recipe) -> Recipe:
    """How this model's vectors are made in the space of a recipe of an index.

    It is that recipe itself if a former version of the model made it, whose vectors of images are
    the same.
    """
    now = space_of(model, held.space)
    mine = recipe_of(model, held.space if now else None)
    if now is not None and succeeds(model, held):
        return replace(mine, fingerprint=held.fingerprint, preprocessing=held.preprocessing)
    return mine


def succeeds(model: Embedder, held: Recipe) -> bool:
    """Whether a recipe of an index is that of a former version of the model."""
    now = space_of(model, held.space)
    return now is not None and held.fingerprint in model.spaces[now].succeeds


def default_spaces(model: Embedder) -> list[str]:
    """The spaces of a new index: those that queries are searched in by default."""
    routed = {name for route in model.routes for name in route.spaces}
    return [name for name in model.spaces if name in routed] or [model.default_space]
