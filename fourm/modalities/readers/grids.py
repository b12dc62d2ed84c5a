"""Pictures of other kinds than photos, as tokens of their tokenizers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fourm.checkpoints import Checkpoint
from fourm.errors import ConfigError
from fourm.lazy import Lazy
from fourm.modalities.readers.base import Content, Reader

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.config import TokenizerConfig
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


class GridReader(Reader):
    """Something square, as tokens of a tokenizer."""

    def __init__(self, modality: TokenSpec, folder: Callable[[], Path]) -> None:
        super().__init__(modality)
        self.tokenizer: Lazy[VQVAE] = Lazy(lambda: self._load(folder()))
        self._side: Lazy[int] = Lazy(lambda: self._measure(folder()))

    @property
    def side(self) -> int:
        """Side of the square that the tokenizer turns into the modality's tokens, in pixels."""
        return self._side.get()

    def _measure(self, folder: Path) -> int:
        patch = Checkpoint.open(folder).fields.integer("patch_size", 16, 1, 1024)
        return self.modality.grid * patch

    def _load(self, folder: Path) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        tokenizer = load_tokenizer(folder, decode=False)
        self._check(tokenizer, folder)
        if tokenizer.config.codebook_size > self.modality.vocabulary:
            raise ConfigError(
                f"{folder} has {tokenizer.config.codebook_size} codes, {self.modality.name} of the "
                f"model has only {self.modality.vocabulary} ids"
            )
        return tokenizer

    def _check(self, tokenizer: VQVAE, folder: Path) -> None:
        if tokenizer.config.is_vector or tokenizer.config.n_labels is not None:
            raise ConfigError(f"{folder} is not a tokenizer of {self.modality.name}")

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 token ids."""
        import torch

        from fourm.transformer.embeddings import ModalityInput

        tokenizer = self.tokenizer.get().to(device)
        stacked = torch.from_numpy(np.stack(contents)).to(device)
        values = self.values(stacked, tokenizer.config)
        return ModalityInput(tokenizer.encode(values).flatten(1))

    @abstractmethod
    def values(self, stacked: torch.Tensor, config: TokenizerConfig) -> torch.Tensor:
        """Stacked contents as a tokenizer of this config takes them."""


class MapReader(GridReader):
    """A segmentation map."""

    def _check(self, tokenizer: VQVAE, folder: Path) -> None:
        if tokenizer.config.n_labels is None:
            raise ConfigError(f"{folder} is not a tokenizer of segmentation maps: no n_labels")

    def prepare(self, value: Any) -> Content:
        """(H, W) COCO panoptic category ids, 0 = nothing -> labels uint8 (side, side)."""
        from fourm.modalities.semseg import square_labels

        return square_labels(value, self.side)

    def values(self, stacked: torch.Tensor, config: TokenizerConfig) -> torch.Tensor:
        """(B, side, side) labels, int64."""
        return stacked.long()


class DepthReader(GridReader):
    """A depth map, small values near."""

    def prepare(self, value: Any) -> Content:
        """(H, W) numbers in any unit -> float32 (1, side, side), standardised."""
        from fourm.modalities.depth import square_depth

        return square_depth(value, self.side)

    def values(self, stacked: torch.Tensor, config: TokenizerConfig) -> torch.Tensor:
        """(B, 1, side, side) float32."""
        return stacked


class ByteReader(GridReader):
    """A photo, a normal map or an edge picture: bytes, which the tokenizer sees from -1 to 1."""

    def __init__(
        self,
        modality: TokenSpec,
        folder: Callable[[], Path],
        square: Callable[[Any, int], NDArray[np.uint8]],
    ) -> None:
        super().__init__(modality, folder)
        self._square = square

    def prepare(self, value: Any) -> Content:
        """PIL image or uint8 array -> uint8 (3 or 1, side, side)."""
        return self._square(value, self.side)

    def values(self, stacked: torch.Tensor, config: TokenizerConfig) -> torch.Tensor:
        """(B, channels, side, side) float32; grey is repeated for a tokenizer with 3 channels."""
        from fourm.modalities.pixels import centred, imagenet_normalised

        if stacked.shape[1] == 1:
            stacked = stacked.expand(-1, config.n_channels, -1, -1)
        return imagenet_normalised(stacked) if config.undo_std else centred(stacked)
