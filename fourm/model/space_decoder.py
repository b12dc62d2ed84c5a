"""From the logits of a space's modality to unit vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.checkpoints import Checkpoint
from fourm.errors import ConfigError
from fourm.hub.manifest import Manifest
from fourm.lazy import Lazy
from fourm.model.heads import Head
from fourm.vectors import unit_rows

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.config import TokenizerConfig
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec
    from fourm.transformer import FMConfig


class SpaceDecoder:
    """Vectors of a space from predictions: tokens from logits, vectors from tokens, the transform.

    The tokenizer's decoder is loaded when it is first used.

    Args:
        name: of the space.
        manifest: with its entry, which has a `modality`.
        config: of the transformer.
        device: where the tokenizer runs.
        transform: what predictions end with, or None.

    Attributes:
        dim: length of its vectors.
        target: the modality that is predicted, by its name in the config.
        steps: how a vector is made, in a few words.
        transform: as given.

    Raises:
        CheckpointError: a part cannot be read.
        ConfigError: its parts do not go together.
    """

    def __init__(
        self,
        name: str,
        manifest: Manifest,
        config: FMConfig,
        device: torch.device,
        transform: Head | None = None,
    ) -> None:
        from fourm.tokenizers.config import TokenizerConfig

        self.name, self.entry, self._device = name, manifest.spaces[name], device
        self.target = self.entry.modality
        self._modality: TokenSpec = config.modalities[self.target]
        if self._modality.kind != "img" or self.target not in manifest.tokenizers:
            raise ConfigError(
                f"{self.target} has no tokenizer that decodes it", where=manifest.name
            )
        self._folder = manifest.locate(manifest.tokenizers[self.target])
        checkpoint = Checkpoint.open(self._folder)
        self._config: TokenizerConfig = TokenizerConfig.from_mapping(
            checkpoint.config, checkpoint.config_source
        )
        self._check_tokenizer()
        made = self._config.n_channels
        self.transform = transform
        if self.transform is not None and self.transform.dim_in != made:
            raise ConfigError(
                f"the transform of {name} takes vectors of {self.transform.dim_in}, its tokenizer "
                f"makes {made}",
                where=manifest.name,
            )
        self.dim = made if self.transform is None else self.transform.dim_out
        self._tokenizer: Lazy[VQVAE] = Lazy(self._load)
        self.steps = f"{self.target} {self.entry.decode}"
        if self.entry.pool is not None:
            self.steps += f", {self.entry.pool} over the grid"

    def units_of_logits(self, logits: torch.Tensor, seeds: int = 1) -> NDArray[np.float32]:
        """Unit vectors of predictions.

        Args:
            logits: (B, n, vocabulary).
            seeds: 1: as the space's `decode` says. More: tokens are drawn that many times at the
                space's temperature, and the unit vectors averaged.

        Returns:
            float32 (B, dim).
        """
        from fourm.generation import choose

        entry = self.entry
        if seeds == 1:
            chosen = choose(
                logits,
                entry.decode,
                temperature=entry.temperature,
                top_p=entry.top_p,
                seed=entry.seed,
            )
            if chosen.probabilities is not None:
                return self._units(self._decode(probabilities=chosen.probabilities))
            return self._units(self._decode(chosen.tokens))
        total = np.zeros((len(logits), self.dim), np.float32)
        for seed in range(entry.seed, entry.seed + seeds):
            drawn = choose(
                logits, "sample", temperature=entry.temperature, top_p=entry.top_p, seed=seed
            )
            total += self._units(self._decode(drawn.tokens))
        return unit_rows(total)

    def _decode(
        self, tokens: torch.Tensor | None = None, probabilities: torch.Tensor | None = None
    ) -> torch.Tensor:
        tokenizer = self._tokenizer.get()
        if probabilities is not None:
            if not self._config.is_vector:
                side = self._modality.grid
                probabilities = probabilities.reshape(-1, side, side, probabilities.shape[-1])
            decoded = tokenizer.decode_soft(probabilities)
        else:
            assert tokens is not None
            decoded = tokenizer.decode_tokens(tokens)
        return decoded.mean(dim=(2, 3)) if self.entry.pool == "mean" else decoded

    def _units(self, vectors: torch.Tensor) -> NDArray[np.float32]:
        vectors = vectors.float().cpu()
        return normalised(vectors if self.transform is None else self.transform(vectors))

    def _load(self) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        self._check_tokens()
        on_cpu = self._device.type == "cpu"
        return load_tokenizer(self._folder, encode=False, stream=on_cpu).to(self._device)

    def _check_tokenizer(self) -> None:
        name, folder, config = self.name, self._folder, self._config
        if config.is_diffusion or config.n_labels is not None:
            raise ConfigError(f"{folder} decodes to images, not to vectors of the space {name}")
        if config.is_vector != (self.entry.pool is None):
            what = "one vector" if config.is_vector else "a grid of vectors"
            wanted = "null" if config.is_vector else '"mean"'
            raise ConfigError(f"{folder} makes {what}: pool of the space {name} must be {wanted}")

    def _check_tokens(self) -> None:
        modality, folder, config = self._modality, self._folder, self._config
        if config.is_vector:
            fits = config.num_codebooks == modality.max_tokens
        else:
            fits = math.isqrt(modality.max_tokens) ** 2 == modality.max_tokens
        if not fits or config.codebook_size != modality.vocabulary:
            raise ConfigError(
                f"{folder} has {config.num_codebooks} codebooks of {config.codebook_size}, "
                f"{modality.name} of the model {modality.max_tokens} tokens of "
                f"{modality.vocabulary}"
            )


def normalised(vectors: torch.Tensor) -> NDArray[np.float32]:
    """Rows of length 1."""
    import torch

    units: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=1).numpy()
    return units
