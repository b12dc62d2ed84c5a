"""The decoders of a model: from the tokens of each modality to values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm.checkpoints import Checkpoint
from fourm.errors import ConfigError
from fourm.modalities import MODALITIES, Codec, Decoded, Decoder, ModelPart
from fourm.tokenizers.config import TokenizerConfig
from fourm.tokenizers.diffusion.config import DiffusionConfig
from fourm.tokenizers.diffusion.divae import check_decoding
from fourm.tokenizers.loading import load_tokenizer
from fourm.tokenizers.wordpiece import TextTokenizer

if TYPE_CHECKING:
    import torch

    from fourm.hub.manifest import Manifest
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.transformer import FMConfig


class ModelDecoders:
    """Decodes the modalities of a model. Tokenizers are loaded when they are first needed.

    A modality may be read and predicted as different tokens, whose names in the config are
    `Manifest.inputs` and `Manifest.predicted_as`; methods take that name as `domain`.

    Args:
        manifest: the parts of the model.
        config: of its transformer.
        device: of the tokenizers.
    """

    def __init__(self, manifest: Manifest, config: FMConfig, device: torch.device) -> None:
        self._manifest, self._config, self._device = manifest, config, device
        self._text_tokenizers: dict[Path, TextTokenizer] = {}
        self._tokenizers: dict[Path, VQVAE] = {}
        self._decoders: dict[tuple[str, str], Decoder] = {}

    def can_decode(self, name: str, domain: str) -> bool:
        """Whether a modality can be decoded with the tokenizers that are on this disk."""
        manifest = self._manifest
        spec = self._config.modalities.get(domain)
        codec = None if spec is None else MODALITIES[name].codec(spec.kind)
        if codec is None or codec.decoder is None:
            return False
        available = {
            "tokenizer": domain in manifest.tokenizers,
            "text_tokenizer": domain in manifest.text_tokenizers,
        }
        return all(available.get(part, False) for part in codec.needs)

    def check(self, name: str, domain: str, diffusion: DiffusionConfig) -> None:
        """Check that the tokenizers of a modality fit, without loading them.

        Raises:
            BadInput: invalid options of a diffusion decoder.
            CheckpointError: a tokenizer is missing, damaged, or not the one of this model.
        """
        needs = self._codec(name, domain).needs
        if "text_tokenizer" in needs:
            self.text_tokenizer(domain)
        if "tokenizer" in needs:
            folder = self._tokenizer_folder(domain)
            fields = Checkpoint.open(folder).fields
            config = TokenizerConfig.from_mapping(fields.values, fields.where)
            check_decoding(config, diffusion)
            spec = self._config.modalities[domain]
            if "text_tokenizer" not in needs and config.codebook_size != spec.vocabulary:
                raise ConfigError(
                    f"the tokenizer has {config.codebook_size} codes, but {spec.name} of the model "
                    f"has {spec.vocabulary} ids",
                    where=folder,
                )

    def decode(
        self,
        name: str,
        domain: str,
        tokens: Sequence[int],
        diffusion: DiffusionConfig,
        *,
        progress: bool = False,
    ) -> Decoded:
        """Decode the tokens of one sample; see `fourm.modalities.Decoder.decode`."""
        if (name, domain) not in self._decoders:
            parts = dict[ModelPart, Any]()
            if "tokenizer" in (needs := self._codec(name, domain).needs):
                parts["tokenizer"] = self._tokenizer(domain)
            if "text_tokenizer" in needs:
                parts["text_tokenizer"] = self.text_tokenizer(domain)
            kind = self._config.modalities[domain].kind
            self._decoders[name, domain] = MODALITIES[name].decoder(parts, kind)
        return self._decoders[name, domain].decode(tokens, diffusion, progress=progress)

    def text_tokenizer(self, domain: str) -> TextTokenizer:
        """The text tokenizer of a modality that is written as text.

        Raises:
            CheckpointError: it is missing or damaged.
        """
        path = self._manifest.locate(self._manifest.text_tokenizers[domain])
        if path not in self._text_tokenizers:
            file = path / "tokenizer.json" if path.is_dir() else path
            self._text_tokenizers[path] = TextTokenizer(file)
        return self._text_tokenizers[path]

    def _codec(self, name: str, domain: str) -> Codec:
        codec = MODALITIES[name].codec(self._config.modalities[domain].kind)
        assert codec is not None
        return codec

    def _tokenizer(self, domain: str) -> VQVAE:
        """Loaded once, since modalities may share a tokenizer."""
        folder = self._tokenizer_folder(domain)
        if folder not in self._tokenizers:
            loaded = load_tokenizer(folder, encode=False)
            self._tokenizers[folder] = loaded.to(self._device)
        return self._tokenizers[folder]

    def _tokenizer_folder(self, domain: str) -> Path:
        return self._manifest.locate(self._manifest.tokenizers[domain])
