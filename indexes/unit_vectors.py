"""The check that every vector passes on its way into an index, out of it, or to a search."""

from __future__ import annotations

from typing import Any

import numpy as np

from indexes.errors import BadVector
from indexes.records import FloatArray

# A float32 vector that was normalised in bfloat16 or after an int8 round trip is off by less.
NORM_TOLERANCE = 1e-3


def check_unit_rows(rows: Any, dim: int, what: str) -> FloatArray:
    """Return `rows` as a C-contiguous float32 array (n, dim) of unit rows.

    Args:
        rows: float32 array, shape (n, dim).
        dim: expected length of a row.
        what: names the rows in an error ("query vectors").

    Raises:
        BadVector: another type, dtype or shape; NaN or infinity; a length other than 1.
    """
    if not isinstance(rows, np.ndarray):
        raise BadVector(f"{what}: expected a NumPy array, got {type(rows).__name__}")
    if rows.dtype != np.float32:
        raise BadVector(f"{what}: expected dtype float32, got {rows.dtype}")
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise BadVector(f"{what}: expected shape (n, {dim}), got {rows.shape}")
    # In float64, so that huge values are reported as a wrong length and not as infinite.
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    if not np.isfinite(norms).all():
        raise BadVector(f"{what}: contains NaN or infinity")
    wrong = np.abs(norms - 1.0) > NORM_TOLERANCE
    if wrong.any():
        raise BadVector(f"{what}: expected unit length, got {norms[wrong][0]:.6g}")
    return np.ascontiguousarray(rows)


def check_unit_vector(vector: Any, dim: int, what: str) -> FloatArray:
    """Return `vector` as a C-contiguous float32 array (dim,) of unit length.

    Raises:
        BadVector: as `check_unit_rows`.
    """
    if isinstance(vector, np.ndarray):
        if vector.shape != (dim,):
            raise BadVector(f"{what}: expected shape ({dim},), got {vector.shape}")
        vector = vector[None]
    row: FloatArray = check_unit_rows(vector, dim, what)[0]
    return row
