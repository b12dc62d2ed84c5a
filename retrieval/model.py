"""How galleries name a model, and how an index remembers what made its vectors."""

from __future__ import annotations

import os

from fourm.embedder import Embedder
from indexes import Recipe
from indexes.recipe import MODEL

ModelLike = str | os.PathLike[str] | Embedder
"""A bundled or official name, a folder, a hub name, or a model that is loaded already."""


def recipe_of(model: Embedder, space: str | None = None) -> Recipe:
    """How this model's vectors are made, as an index remembers it.

    Args:
        model: any embedder.
        space: default: the model's default space.
    """
    chosen = model.spaces[space or model.default_space]
    # What a teacher has made depends on the teacher alone, whatever model it comes with.
    return Recipe(
        model=chosen.encoder or model.name,
        fingerprint=model.space_fingerprint(chosen.name),
        space=chosen.name,
        dim=chosen.dim,
        preprocessing=chosen.preprocessing,
        encoder=chosen.encoder or MODEL,
    )
