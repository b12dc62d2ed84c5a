"""Features of other networks, as tokens: maps of patch features, and global embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.checkpoints import Checkpoint
from fourm.errors import BadInput, ConfigError
from fourm.lazy import Lazy
from fourm.modalities.readers.base import Content, Reader, numbers

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput


_NOTES = {
    "tok_imagebind_global": ": the CLS of ImageBind's vision trunk, and not the embedding of 1024 "
    "numbers in its joint space, which its head makes of it"
}


class FeatureReader(Reader):
    """Features that were computed elsewhere: a map with one vector a patch, or one vector alone.

    Which of the two it takes, its tokenizer says.
    """

    def __init__(self, modality: TokenSpec, folder: Callable[[], Path]) -> None:
        super().__init__(modality)
        self.tokenizer: Lazy[VQVAE] = Lazy(lambda: self._load(folder()))
        self._shape: Lazy[tuple[int, ...]] = Lazy(lambda: self._expected(folder()))

    def _expected(self, folder: Path) -> tuple[int, ...]:
        fields = Checkpoint.open(folder).fields
        width = fields.integer("n_channels", low=1)
        if fields.text("enc_type", "").startswith("BottleneckMLP/"):
            return (width,)
        return (width, self.modality.grid, self.modality.grid)

    def _load(self, folder: Path) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        tokenizer = load_tokenizer(folder, decode=False)
        config = tokenizer.config
        if config.codebook_size > self.modality.vocabulary or (
            config.is_vector and config.num_codebooks != self.modality.max_tokens
        ):
            raise ConfigError(
                f"{folder} has {config.num_codebooks} codebooks of {config.codebook_size}, "
                f"{self.modality.name} of the model has {self.modality.max_tokens} tokens of "
                f"{self.modality.vocabulary}"
            )
        return tokenizer

    def prepare(self, value: Any) -> Content:
        """Features, as the other network gave them (not of unit length) -> float32.

        A map is (C, h, w), or (h * w, C) row by row; an embedding is (C,), or (1, C).
        """
        features = numbers(value, self.modality.name)
        wanted = self._shape.get()
        rows = int(np.prod(wanted[1:]))
        if features.shape == wanted:
            return features
        if features.shape == (rows, wanted[0]):
            return np.ascontiguousarray(features.T.reshape(wanted))
        raise BadInput(
            f"{self.modality.name} takes numbers of the shape {wanted} or {(rows, wanted[0])}, "
            f"not {features.shape}{_NOTES.get(self.modality.name, '')}"
        )

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 token ids."""
        import torch

        from fourm.transformer.embeddings import ModalityInput

        tokenizer = self.tokenizer.get().to(device)
        features = torch.from_numpy(np.stack(contents)).to(device)
        return ModalityInput(tokenizer.encode(features).flatten(1))
