"""Vectors of prepared inputs in all spaces, from as few forward passes of the model as possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fourm.embedder import Embedder, Vectors
from retrieval.errors import RetrievalError
from retrieval.model import embed_spaces

NO_VECTOR = "the model returned no unit vector"
_TOLERANCE = 1e-3


def embed(
    model: Embedder, prepared: Sequence[Any], dims: Mapping[str, int], batch_size: int
) -> list[dict[str, Vectors] | None]:
    """Embed prepared inputs, `batch_size` in one forward pass.

    Args:
        model: the model.
        prepared: by this model.
        dims: space -> length of its vectors, of the spaces to embed in.
        batch_size: at least 1.

    Returns:
        For each input, space -> float32 (dim,), or None if one of them is no unit vector.

    Raises:
        RetrievalError: the model returned arrays of other shapes.
    """
    found: list[dict[str, Vectors] | None] = []
    for start in range(0, len(prepared), batch_size):
        found += _one_pass(model, prepared[start : start + batch_size], dims)
    return found


def _one_pass(
    model: Embedder, prepared: Sequence[Any], dims: Mapping[str, int]
) -> list[dict[str, Vectors] | None]:
    made = embed_spaces(model, prepared, tuple(dims))
    good = np.ones(len(prepared), dtype=bool)
    for space, dim in dims.items():
        if made[space].shape != (len(prepared), dim):
            raise RetrievalError(
                f"the model {model.name!r} returned vectors of shape {made[space].shape} in "
                f"{space}, expected {(len(prepared), dim)}"
            )
        # NaN compares false.
        good &= np.abs(np.linalg.norm(made[space], axis=1) - 1.0) < _TOLERANCE
    return [
        {space: made[space][row] for space in dims} if good[row] else None
        for row in range(len(prepared))
    ]
