"""Colours, facts and boxes as vectors, for models that read them so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.errors import BadInput, ConfigError
from fourm.modalities.readers.base import Content, Reader

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


class ItemsReader(Reader):
    """A few items, one vector each (`fourm.modalities.items`).

    Args:
        modality: of kind `seq_emb`.
        encode: what a user brings -> float32 (n, width).
        width: what `encode` makes.

    Raises:
        ConfigError: the modality has another width.
    """

    def __init__(
        self, modality: TokenSpec, encode: Callable[[Any], NDArray[np.float32]], width: int
    ) -> None:
        super().__init__(modality)
        if modality.width != width:
            raise ConfigError(
                f"{modality.name} of the model takes vectors of {modality.width}, "
                f"this program makes {width}"
            )
        self._encode = encode

    def prepare(self, value: Any) -> Content:
        """As `BoxesReader`, `PaletteReader`, `MetadataReader` -> float32 (n, width)."""
        items = self._encode(value)
        if len(items) > self.modality.max_tokens:
            raise BadInput(
                f"{self.modality.name} takes at most {self.modality.max_tokens} items, these are "
                f"{len(items)}: give fewer"
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
