"""Vectors of a batch in all spaces, from one pass of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fourm.embedder import Embedder, Vectors
from retrieval.building.preparing import Item
from retrieval.errors import RetrievalError

_TOLERANCE = 1e-3


@dataclass
class Embedded:
    """Items with a vector (dim,) in each space, and items with the reason why they have none."""

    vectors: list[tuple[Item, dict[str, Vectors]]] = field(default_factory=list)
    failed: list[tuple[Item, str]] = field(default_factory=list)


def embed(model: Embedder, items: Sequence[Item], dims: Mapping[str, int]) -> Embedded:
    """Run the model once over prepared items.

    Args:
        model: the model.
        items: prepared ones.
        dims: space -> length of its vectors; the spaces that are wanted.

    Raises:
        RetrievalError: the model gave arrays of other shapes.
    """
    made = model.embed_spaces([item.prepared for item in items], spaces=tuple(dims))
    good = np.ones(len(items), dtype=bool)
    for space, dim in dims.items():
        if made[space].shape != (len(items), dim):
            raise RetrievalError(
                f"the model {model.name!r} gave vectors of shape {made[space].shape} in {space} "
                f"for {len(items)} pictures, expected {(len(items), dim)}"
            )
        # NaN compares false; a zero vector is a picture that the model makes nothing of.
        good &= np.abs(np.linalg.norm(made[space], axis=1) - 1.0) < _TOLERANCE
    embedded = Embedded()
    for row, item in enumerate(items):
        if good[row]:
            embedded.vectors.append((item, {space: made[space][row] for space in dims}))
        else:
            embedded.failed.append((item, "the model gave no unit vector for it"))
    return embedded
