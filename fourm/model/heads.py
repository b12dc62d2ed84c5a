"""From features to the vectors of a space: a linear map, a small network, a bag of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.checkpoints import TensorFile
from fourm.errors import ConfigError
from fourm.lazy import Lazy

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

LINEAR = {"mean": ("n",), "matrix": ("dim", "n")}
HIDDEN = {"hidden_weight": ("h", "n"), "hidden_bias": ("h",), "out_weight": ("dim", "h")}
WORDS = {"words": ("vocabulary", "dim"), "idf": ("vocabulary",)}


class Head:
    """v = matrix (x - mean) [+ out_weight gelu(hidden_weight (x - mean) + hidden_bias)] [+ words].

    The last is a bag of words: the sum of `words` of the distinct word pieces of a text whose `idf`
    is above 0, divided by the length of the vector of their `idf`.

    The file's header is read and checked at once, its tensors when they are first used.

    Args:
        path: safetensors file with `mean` (n,) and `matrix` (dim, n); optionally `hidden_weight`
            (h, n), `hidden_bias` (h,) and `out_weight` (dim, h); optionally `words`
            (vocabulary, dim) and `idf` (vocabulary,).

    Attributes:
        dim_in, dim_out: n and dim.
        vocabulary: of the bag of words; None: there is none.

    Raises:
        CheckpointError: it cannot be read.
        ConfigError: other tensors, or shapes that do not fit each other.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with TensorFile(path) as file:
            shapes = dict(file.shapes)
            troubles = [trouble for name in shapes if (trouble := file.trouble(name)) is not None]
        sizes = _sizes(shapes)
        if sizes is None:
            raise ConfigError(
                f"{path} must hold mean (n,) and matrix (dim, n), and may hold hidden_weight "
                "(h, n), hidden_bias (h,) and out_weight (dim, h), words (vocabulary, dim) and idf "
                f"(vocabulary,), not { ({k: list(v) for k, v in shapes.items()}) }"
            )
        if troubles:
            raise ConfigError(troubles[0], where=path)
        self.dim_in, self.dim_out = sizes["n"], sizes["dim"]
        self.vocabulary = sizes.get("vocabulary")
        self._tensors: Lazy[Tensors] = Lazy(partial(_read, path))

    def __call__(
        self, features: torch.Tensor, words: Sequence[NDArray[np.int64]] = ()
    ) -> torch.Tensor:
        """Vectors of features; they are not brought to unit length.

        Args:
            features: float32 (B, n) on the CPU.
            words: ids of the word pieces of each text, where there is a bag of words.

        Returns:
            float32 (B, dim).
        """
        import torch

        read = self._tensors.get()
        x: torch.Tensor = features - read["mean"]
        out: torch.Tensor = x @ read["matrix"].T
        if "hidden_weight" in read:
            hidden = torch.nn.functional.gelu(x @ read["hidden_weight"].T + read["hidden_bias"])
            out += hidden @ read["out_weight"].T
        if self.vocabulary is not None:
            out += torch.stack([_bag(read["words"], read["idf"], ids) for ids in words])
        return out


def _bag(words: torch.Tensor, idf: torch.Tensor, ids: NDArray[np.int64]) -> torch.Tensor:
    """(dim,); zeros where no piece counts."""
    import torch

    distinct = torch.from_numpy(np.unique(ids))
    rare = idf[distinct]
    distinct, rare = distinct[rare > 0], rare[rare > 0]
    bag: torch.Tensor = words[distinct].sum(dim=0) / rare.norm().clamp_min(1e-12)
    return bag


def _read(path: Path) -> Tensors:
    with TensorFile(path) as file:
        return file.read()


def _sizes(shapes: dict[str, tuple[int, ...]]) -> dict[str, int] | None:
    """n, dim, h and vocabulary, or None if the tensors are not those of a head."""
    expected = dict(LINEAR)
    for optional in (HIDDEN, WORDS):
        expected |= optional if shapes.keys() & optional.keys() else {}
    if expected.keys() != shapes.keys():
        return None
    sizes: dict[str, int] = {}
    for name, axes in expected.items():
        if len(axes) != len(shapes[name]):
            return None
        for axis, size in zip(axes, shapes[name], strict=True):
            if sizes.setdefault(axis, size) != size or size < 1:
                return None
    return sizes
