"""Vectors of a batch in all spaces, from one forward pass of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fourm.embedder import Embedder, Vectors
from retrieval.building.preparing import PreparedItem
from retrieval.errors import RetrievalError
from retrieval.model import embed_spaces

_TOLERANCE = 1e-3


@dataclass
class EmbeddedBatch:
    """Items with their vectors, space -> float32 (dim,), and failed items with the reason."""

    vectors: list[tuple[PreparedItem, dict[str, Vectors]]] = field(default_factory=list)
    failed: list[tuple[PreparedItem, str]] = field(default_factory=list)


def embed(model: Embedder, items: Sequence[PreparedItem], dims: Mapping[str, int]) -> EmbeddedBatch:
    """Embed prepared items in one forward pass.

    Args:
        model: the model.
        items: prepared by this model.
        dims: space -> length of its vectors, of the spaces to embed in.

    Raises:
        RetrievalError: the model returned arrays of other shapes.
    """
    made = embed_spaces(model, [item.prepared for item in items], tuple(dims))
    good = np.ones(len(items), dtype=bool)
    for space, dim in dims.items():
        if made[space].shape != (len(items), dim):
            raise RetrievalError(
                f"the model {model.name!r} returned vectors of shape {made[space].shape} in "
                f"{space}, expected {(len(items), dim)}"
            )
        # NaN compares false.
        good &= np.abs(np.linalg.norm(made[space], axis=1) - 1.0) < _TOLERANCE
    embedded = EmbeddedBatch()
    for row, item in enumerate(items):
        if good[row]:
            embedded.vectors.append((item, {space: made[space][row] for space in dims}))
        else:
            embedded.failed.append((item, "the model returned no unit vector"))
    return embedded
