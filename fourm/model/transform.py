"""The linear transform that a space may end with, or that a linear probe is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fourm.checkpoints import TensorFile
from fourm.errors import ConfigError

if TYPE_CHECKING:
    import torch


class Transform:
    """y = matrix @ (x - mean), e.g. a whitening of the space.

    Args:
        path: safetensors file with `mean` (dim,) and `matrix` (dim_out, dim).

    Raises:
        CheckpointError: it cannot be read.
        ConfigError: other tensors, or shapes that do not fit each other.
    """

    def __init__(self, path: Path) -> None:
        with TensorFile(path) as file:
            mean, matrix = file.shapes.get("mean", ()), file.shapes.get("matrix", ())
            if set(file.shapes) != {"mean", "matrix"} or matrix[1:] != mean or len(mean) != 1:
                raise ConfigError(
                    f"{path} must hold mean (dim,) and matrix (dim_out, dim), "
                    f"not { ({k: list(v) for k, v in file.shapes.items()}) }"
                )
            read = file.read()
        self.dim_in, self.dim_out = matrix[1], matrix[0]
        self._mean, self._matrix = read["mean"], read["matrix"]

    def __call__(self, vectors: torch.Tensor) -> torch.Tensor:
        """float32 (B, dim) on the CPU -> (B, dim_out)."""
        return (vectors - self._mean) @ self._matrix.T
