"""From the logits of a space's modality to unit vectors."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fourm.checkpoints import Checkpoint
from fourm.embedder import Space
from fourm.errors import ConfigError
from fourm.hub.manifest import Manifest
from fourm.lazy import Lazy
from fourm.modalities import IMAGE
from fourm.model.transform import Transform
from fourm.vectors import unit_rows

if TYPE_CHECKING:
    import torch

    from fourm.tokenizers.config import TokenizerConfig
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokens import TokenSpec
    from fourm.transformer import FMConfig


class SpaceDecoder:
    """One space of a model: tokens from logits, vectors from tokens, the transform, unit length.

    The tokenizer's decoder is loaded when it is first used.

    Args:
        name: of the space.
        manifest: with its entry.
        config: of the transformer.
        device: where the tokenizer runs.
        preprocessing: what is done to an image before the model, for the space's description.
        precision: dtype of the transformer's matrix products.

    Raises:
        ConfigError: its parts do not go together.
    """

    def __init__(
        self,
        name: str,
        manifest: Manifest,
        config: FMConfig,
        device: torch.device,
        preprocessing: str | None,
        precision: str,
    ) -> None:
        from fourm.tokenizers.config import TokenizerConfig

        self.name, self.entry, self._device = name, manifest.spaces[name], device
        self.modality: TokenSpec = config.modalities[self.entry.modality]
        if self.modality.kind != "img" or self.entry.modality not in manifest.tokenizers:
            raise ConfigError(
                f"{self.entry.modality} has no tokenizer that decodes it", where=manifest.name
            )
        self._folder = manifest.locate(manifest.tokenizers[self.entry.modality])
        checkpoint = Checkpoint.open(self._folder)
        self._config: TokenizerConfig = TokenizerConfig.from_mapping(
            checkpoint.config, checkpoint.config_source
        )
        self._check_tokenizer()
        transform = self.entry.transform
        self._transform = Transform(manifest.locate(transform)) if transform else None
        self._tokenizer: Lazy[VQVAE] = Lazy(self._load)
        self.space = self._described(manifest, config, preprocessing, precision)
        self._probes = {
            name: Lazy(partial(self._load_probe, manifest.locate(probe.transform), config.dim))
            for name, probe in self.entry.linear_probes.items()
        }
        if self._probes and not config.num_register_tokens:
            raise ConfigError(
                "linear probes need a model with register tokens", where=manifest.name
            )

    def reads_register(self, modality: str) -> bool:
        """Whether a sample of this modality alone is read at the encoder's register token."""
        return modality in self._probes or (modality == IMAGE.name and self._reads_images)

    @property
    def _reads_images(self) -> bool:
        return self.entry.image_readout == "register"

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
        total = np.zeros((len(logits), self.space.dim), np.float32)
        for seed in range(entry.seed, entry.seed + seeds):
            drawn = choose(
                logits, "sample", temperature=entry.temperature, top_p=entry.top_p, seed=seed
            )
            total += self._units(self._decode(drawn.tokens))
        return unit_rows(total)

    def units_of_registers(self, tokens: torch.Tensor, modality: str) -> NDArray[np.float32]:
        """Unit vectors float32 (B, dim) of samples of one modality, from the encoder's tokens
        (B, K, width)."""
        if modality not in self._probes:
            return self._units(tokens[:, 0])
        return _normalised(self._probes[modality].get()(tokens[:, 0].float().cpu()))

    def _decode(
        self, tokens: torch.Tensor | None = None, probabilities: torch.Tensor | None = None
    ) -> torch.Tensor:
        tokenizer = self._tokenizer.get()
        if probabilities is not None:
            if not self._config.is_vector:
                side = self.modality.grid
                probabilities = probabilities.reshape(-1, side, side, probabilities.shape[-1])
            decoded = tokenizer.decode_soft(probabilities)
        else:
            assert tokens is not None
            decoded = tokenizer.decode_tokens(tokens)
        return decoded.mean(dim=(2, 3)) if self.entry.pool == "mean" else decoded

    def _units(self, vectors: torch.Tensor) -> NDArray[np.float32]:
        vectors = vectors.float().cpu()
        if self._transform is not None:
            vectors = self._transform(vectors)
        return _normalised(vectors)

    def _load(self) -> VQVAE:
        from fourm.tokenizers.loading import load_tokenizer

        self._check_tokens()
        on_cpu = self._device.type == "cpu"
        return load_tokenizer(self._folder, encode=False, stream=on_cpu).to(self._device)

    def _load_probe(self, path: Path, width: int) -> Transform:
        probe = Transform(path)
        if (probe.dim_in, probe.dim_out) != (width, self.space.dim):
            raise ConfigError(
                f"{path} makes vectors of {probe.dim_out} of {probe.dim_in}; the space "
                f"{self.name} takes {self.space.dim} of {width}"
            )
        return probe

    def _check_tokenizer(self) -> None:
        name, folder, config = self.name, self._folder, self._config
        if config.is_diffusion or config.n_labels is not None:
            raise ConfigError(f"{folder} decodes to images, not to vectors of the space {name}")
        if config.is_vector != (self.entry.pool is None):
            what = "one vector" if config.is_vector else "a grid of vectors"
            wanted = "null" if config.is_vector else '"mean"'
            raise ConfigError(f"{folder} makes {what}: pool of the space {name} must be {wanted}")

    def _check_tokens(self) -> None:
        modality, folder, config = self.modality, self._folder, self._config
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

    def _described(
        self, manifest: Manifest, config: FMConfig, preprocessing: str | None, precision: str
    ) -> Space:
        entry, transform, dim = self.entry, self._transform, self._config.n_channels
        if self._reads_images and not config.num_register_tokens:
            raise ConfigError("image_readout needs register tokens", where=manifest.name)
        if self._reads_images and dim != config.dim:
            raise ConfigError(
                f"image_readout gives vectors of {config.dim}, the tokenizer of "
                f"{entry.modality} makes {dim}",
                where=manifest.name,
            )
        if transform is not None and transform.dim_in != dim:
            raise ConfigError(
                f"the transform of {self.name} takes vectors of "
                f"{transform.dim_in}, its tokenizer makes {dim}",
                where=manifest.name,
            )
        predicted = f"{entry.modality} {entry.decode}"
        if entry.pool is not None:
            predicted += f", {entry.pool} over the grid"
        steps = [preprocessing] if preprocessing is not None else []
        if self._reads_images:
            steps += ["image register token", f"else {predicted}"]
        else:
            steps.append(predicted)
        if transform is not None:
            steps.append(f"linear transform {transform.dim_in} to {transform.dim_out}")
        return Space(
            name=self.name,
            dim=transform.dim_out if transform is not None else dim,
            title=entry.title or self.name,
            preprocessing="; ".join([*steps, "unit length"]),
            teacher=entry.teacher,
            former_name=entry.former_name,
            precision=precision if entry.picks_tokens else None,
        )


def _normalised(vectors: torch.Tensor) -> NDArray[np.float32]:
    import torch

    units: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=1).numpy()
    return units
