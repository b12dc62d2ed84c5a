"""Modalities that are a few items to the model, one vector each.

4M-21 writes boxes, palettes and metadata as text, and learns what the numbers in it mean from many
millions of images. A small model learns more from vectors that are similar for similar values: each
item is a sparse vector of shares that a linear layer embeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput, ConfigError
from fourm.modalities.modality import Codec
from fourm.modalities.reading import Content, Reader

if TYPE_CHECKING:
    import torch

    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput

ItemVectors = NDArray[np.float32]


def item_codec(encode: Callable[[Any], ItemVectors], width: int, keys: Sequence[str] = ()) -> Codec:
    """A modality that is a few items; arguments as `ItemsReader`."""
    return Codec(lambda spec: ItemsReader(spec, encode, width, keys))


class ItemsReader(Reader):
    """Reads a few items, one vector each.

    Args:
        spec: of kind `seq_emb`.
        encode: a value -> float32 (n, width); raises BadInput.
        width: of the vectors.
        keys: as `Reader.keys`.

    Raises:
        ConfigError: the model takes vectors of another width.
    """

    def __init__(
        self,
        spec: TokenSpec,
        encode: Callable[[Any], ItemVectors],
        width: int,
        keys: Sequence[str] = (),
    ) -> None:
        super().__init__(spec)
        if spec.width != width:
            raise ConfigError(
                f"{spec.name} of the model takes vectors of {spec.width}, expected {width}"
            )
        self._encode, self.keys = encode, tuple(keys)

    def prepare(self, value: Any) -> Content:
        """A value -> float32 (n, width)."""
        items = self._encode(value)
        if len(items) > self.spec.max_tokens:
            raise BadInput(
                f"{self.spec.name} takes at most {self.spec.max_tokens} items, got {len(items)}: "
                "give fewer"
            )
        return items

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n, width) float32 and their mask."""
        return padded(contents, device)


def padded(contents: Sequence[Content], device: torch.device) -> ModalityInput:
    """Rows (n, width) of several samples as (B, longest, width) float32 and their mask."""
    import torch

    from fourm.transformer.embeddings import ModalityInput

    longest = max(map(len, contents))
    rows = np.zeros((len(contents), longest, contents[0].shape[1]), np.float32)
    masked = np.ones(rows.shape[:2], np.bool_)
    for row, content in enumerate(contents):
        rows[row, : len(content)] = content
        masked[row, : len(content)] = False
    return ModalityInput(torch.from_numpy(rows).to(device), torch.from_numpy(masked).to(device))


def shares(values: NDArray[np.float64], low: float, high: float, knots: int) -> NDArray[np.float64]:
    """(n,) values -> (n, knots), each shared between the two knots around it; rows sum to 1.

    Knots are equally spaced from low to high; what lies beyond counts as the nearest.
    """
    position = (np.clip(values, low, high) - low) / (high - low) * (knots - 1)
    below = np.minimum(position.astype(np.int64), knots - 2)
    rows = np.zeros((len(values), knots))
    index = np.arange(len(values))
    rows[index, below] = 1 - (position - below)
    rows[index, below + 1] = position - below
    return rows
