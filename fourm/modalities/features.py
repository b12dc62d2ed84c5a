"""Modalities that are features of other networks: maps of patch features, and global embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fourm.checkpoints import Checkpoint
from fourm.checks import finite_array
from fourm.errors import BadInput, ConfigError
from fourm.lazy import Lazy
from fourm.modalities.decoding import Decoded, Decoder, token_array
from fourm.modalities.maps import GRID_TOKENIZER
from fourm.modalities.modality import Codec
from fourm.modalities.reading import Content, Reader
from fourm.tokenizers.diffusion.config import DiffusionConfig

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput

FEATURE_TOKENIZER = {**GRID_TOKENIZER, "patch_proj": False}
"""What the configs of the official tokenizers of feature maps have in common."""

EMBEDDING_TOKENIZER = {
    "enc_type": "BottleneckMLP/B_6-Wi_1024",
    "dec_type": "BottleneckMLP/B_6-Wi_1024",
    "patch_proj": False,
    "quant_type": "memcodes",
    "codebook_size": 8192,
    "num_codebooks": 16,
    "latent_dim": 1024,
}
"""What the configs of the official tokenizers of single vectors have in common."""


def feature_codec(*, vector: bool = False, note: str = "") -> Codec:
    """A map of features, or a single vector of them.

    Args:
        vector: whether it is a single vector.
        note: what to add to the message that refuses another shape.
    """
    return Codec(
        reader=lambda spec, folder: FeatureReader(spec, folder, vector, note),
        decoder=lambda name, tokenizer: FeatureDecoder(name, tokenizer, vector),
        needs=("tokenizer",),
    )


class FeatureReader(Reader):
    """Encodes features that were computed elsewhere; arguments as `feature_codec`."""

    def __init__(
        self, spec: TokenSpec, folder: Callable[[], Path], vector: bool, note: str = ""
    ) -> None:
        super().__init__(spec)
        self._vector, self._note = vector, note
        self.tokenizer: Lazy[VQVAE] = Lazy(lambda: self._load(folder()))
        self._shape: Lazy[tuple[int, ...]] = Lazy(lambda: self._expected(folder()))

    def _expected(self, folder: Path) -> tuple[int, ...]:
        width = Checkpoint.open(folder).fields.integer("n_channels", low=1)
        return (width,) if self._vector else (width, self.spec.grid, self.spec.grid)

    def _load(self, folder: Path) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        tokenizer = load_tokenizer(folder, decode=False)
        config = tokenizer.config
        if config.is_vector != self._vector:
            raise ConfigError(f"the tokenizer of {self.spec.name} is one of another modality")
        if config.codebook_size > self.spec.vocabulary or (
            config.is_vector and config.num_codebooks != self.spec.max_tokens
        ):
            raise ConfigError(
                f"{folder} has {config.num_codebooks} codebooks of {config.codebook_size}, "
                f"{self.spec.name} of the model has {self.spec.max_tokens} tokens of "
                f"{self.spec.vocabulary}"
            )
        return tokenizer

    def prepare(self, value: Any) -> Content:
        """Features, as the other network gave them (not of unit length) -> float32.

        A map is (C, h, w), or (h * w, C) row by row; an embedding is (C,), or (1, C).
        """
        features = finite_array(value, self.spec.name)
        wanted = self._shape.get()
        rows = int(np.prod(wanted[1:]))
        if features.shape == wanted:
            return features
        if features.shape == (rows, wanted[0]):
            return np.ascontiguousarray(features.T.reshape(wanted))
        raise BadInput(
            f"{self.spec.name} must have the shape {wanted} or {(rows, wanted[0])}, "
            f"got {features.shape}{self._note}"
        )

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, n) int64 token ids."""
        import torch

        from fourm.transformer.embeddings import ModalityInput

        tokenizer = self.tokenizer.get().to(device)
        features = torch.from_numpy(np.stack(contents)).to(device)
        return ModalityInput(tokenizer.encode(features).flatten(1))


class FeatureDecoder(Decoder):
    """Decodes a map (C, h, w) or a vector (C,), float32, not of unit length."""

    def __init__(self, modality: str, tokenizer: VQVAE, vector: bool) -> None:
        super().__init__(modality)
        if tokenizer.config.is_vector != vector:
            raise ConfigError(f"the tokenizer of {modality} is one of another modality")
        self.tokenizer = tokenizer

    def decode(
        self, tokens: Sequence[int], diffusion: DiffusionConfig, *, progress: bool = False
    ) -> Decoded:
        """One token for each position of the map, or one from each codebook."""
        import torch

        listed = token_array(tokens)
        device = next(self.tokenizer.parameters()).device
        with torch.no_grad():
            decoded = self.tokenizer.decode_tokens(torch.from_numpy(listed)[None].to(device))
        return Decoded(self.modality, decoded[0].float().cpu().numpy(), listed)
