"""Photos, as pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.modalities.readers.base import Content, Reader

if TYPE_CHECKING:
    import torch

    from fourm.transformer.embeddings import ModalityInput


class PictureReader(Reader):
    """A picture, as pixels."""

    @property
    def side(self) -> int:
        """Side of the square that the model sees, in pixels."""
        return self.modality.grid * self.modality.patch_size

    def prepare(self, value: Any) -> Content:
        """PIL image or uint8 (H, W, 3) -> uint8 (3, side, side)."""
        from fourm.modalities.pixels import square_pixels

        return square_pixels(value, self.side)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, 3, side, side) float32, ImageNet-standardised."""
        import torch

        from fourm.modalities.pixels import imagenet_normalised
        from fourm.transformer.embeddings import ModalityInput

        pixels = torch.from_numpy(np.stack(contents)).to(device)
        return ModalityInput(imagenet_normalised(pixels))


class DrawingReader(PictureReader):
    """Edges as a grey drawing, light lines on dark, whose pixels the model reads."""

    def prepare(self, value: Any) -> Content:
        """PIL image or uint8 array, see `square_edges` -> uint8 (1, side, side)."""
        from fourm.modalities.edges import square_edges

        return square_edges(value, self.side)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, 1, side, side) float32 from 0 to 1."""
        import torch

        from fourm.transformer.embeddings import ModalityInput

        pixels = torch.from_numpy(np.stack(contents)).to(device)
        return ModalityInput(pixels.float() / 255)
