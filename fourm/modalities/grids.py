"""Modalities that are a square of image tokens, made and decoded by a tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.checkpoints import Checkpoint
from fourm.errors import ConfigError
from fourm.lazy import Lazy
from fourm.modalities.decoding import Decoded, Decoder, token_array
from fourm.modalities.modality import Codec
from fourm.modalities.pixels import Square, centred
from fourm.modalities.reading import Content, Reader
from fourm.tokenizers.diffusion.config import DiffusionConfig

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fourm.tokenizers.config import TokenizerConfig
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


@dataclass(frozen=True)
class Grid:
    """What differs between such modalities.

    Attributes:
        square: of a value, of the side that the tokenizer encodes.
        encoded: stacked squares (B, ...) -> what a tokenizer of this config encodes.
        decoded: what the tokenizer decoded, float32 (C, H, W) -> a value.
        channels: of the tokenizer; None: any number.
        labels: whether the tokenizer encodes class labels.
    """

    square: Square
    encoded: Callable[[Tensor, TokenizerConfig], Tensor]
    decoded: Callable[[Tensor], Any]
    channels: int | None = None
    labels: bool = False

    def check(self, name: str, config: TokenizerConfig) -> None:
        """Refuse the tokenizer of another modality.

        Raises:
            ConfigError: it encodes vectors, other channels, or labels where it should not.
        """
        fits = not config.is_vector and (config.n_labels is not None) == self.labels
        if not fits or self.channels not in (None, config.n_channels):
            raise ConfigError(f"the tokenizer of {name} is one of another modality")


def grid_codec(
    square: Square,
    encoded: Callable[[Tensor, TokenizerConfig], Tensor],
    decoded: Callable[[Tensor], Any],
    channels: int | None = None,
    labels: bool = False,
) -> Codec:
    """A modality that is a square of tokens; arguments as `Grid`."""
    grid = Grid(square, encoded, decoded, channels, labels)
    return Codec(
        reader=lambda spec, folder: GridReader(spec, folder, grid),
        decoder=lambda name, tokenizer: GridDecoder(name, tokenizer, grid),
        needs=("tokenizer",),
    )


def scaled_bytes(stacked: Tensor, config: TokenizerConfig) -> Tensor:
    """Bytes (B, 3 or 1, H, W) as tokenizers see them: float32 (B, channels, H, W), -1 .. 1.

    Grey is repeated for a tokenizer with 3 channels; one whose config says `undo_std` is given
    pixels standardised as those of ImageNet.
    """
    from fourm.imagenet import imagenet_normalised

    if stacked.shape[1] == 1:
        stacked = stacked.expand(-1, config.n_channels, -1, -1)
    return imagenet_normalised(stacked) if config.undo_std else centred(stacked)


class GridReader(Reader):
    """Encodes a square as tokens.

    Args:
        spec: of kind `img`.
        folder: where the tokenizer lies.
        grid: the modality.
    """

    def __init__(self, spec: TokenSpec, folder: Callable[[], Path], grid: Grid) -> None:
        super().__init__(spec)
        self._grid = grid
        self.tokenizer: Lazy[VQVAE] = Lazy(lambda: self._load(folder()))
        self._side: Lazy[int] = Lazy(lambda: self._measure(folder()))

    @property
    def side(self) -> int:
        """Side of the square that the tokenizer encodes as this number of tokens, in pixels."""
        return self._side.get()

    def _measure(self, folder: Path) -> int:
        patch = Checkpoint.open(folder).fields.integer("patch_size", 16, 1, 1024)
        return self.spec.grid * patch

    def _load(self, folder: Path) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        tokenizer = load_tokenizer(folder, decode=False)
        self._grid.check(self.spec.name, tokenizer.config)
        if tokenizer.config.codebook_size > self.spec.vocabulary:
            raise ConfigError(
                f"{folder} has {tokenizer.config.codebook_size} codes, {self.spec.name} of the "
                f"model has only {self.spec.vocabulary} ids"
            )
        return tokenizer

    def prepare(self, value: Any) -> Content:
        """A value -> the array of its central square."""
        return self._grid.square(value, self.side)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 token ids."""
        import torch

        from fourm.transformer.embeddings import ModalityInput

        tokenizer = self.tokenizer.get().to(device)
        stacked = torch.from_numpy(np.stack(contents)).to(device)
        values = self._grid.encoded(stacked, tokenizer.config)
        return ModalityInput(tokenizer.encode(values).flatten(1))


class GridDecoder(Decoder):
    """Decodes a square of tokens, given row by row from the top left corner."""

    def __init__(self, modality: str, tokenizer: VQVAE, grid: Grid) -> None:
        super().__init__(modality)
        grid.check(modality, tokenizer.config)
        self.tokenizer, self._grid = tokenizer, grid

    def decode(
        self, tokens: Sequence[int], diffusion: DiffusionConfig, *, progress: bool = False
    ) -> Decoded:
        """A value of about the size that the tokenizer encodes, or of `diffusion.size`."""
        import torch

        listed = token_array(tokens)
        device = next(self.tokenizer.parameters()).device
        with torch.no_grad():
            decoded = self._pixels(torch.from_numpy(listed)[None].to(device), diffusion, progress)
        return Decoded(self.modality, self._grid.decoded(decoded[0].float().cpu()), listed)

    def _pixels(self, tokens: Tensor, diffusion: DiffusionConfig, progress: bool) -> Tensor:
        import torch

        from fourm.tokenizers.diffusion.divae import DiVAE

        if not isinstance(self.tokenizer, DiVAE):
            return self.tokenizer.decode_tokens(tokens)
        noise = torch.Generator().manual_seed(diffusion.seed)
        title = f"decoding {self.modality}" if progress else None
        return self.tokenizer.decode_tokens(
            tokens, diffusion.size, diffusion.steps, noise, progress=title
        )
