"""The official 4M-21 models and their tokenizers, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fourm.errors import ConfigError
from fourm.hub.spaces import SpaceEntry
from fourm.modalities import MODALITIES, OfficialTokenizer

if TYPE_CHECKING:
    from fourm.tokenizers.vqvae import VQVAE

OWNER = "EPFL-VILAB"

MODELS: Mapping[str, str] = {
    "4M-21_B": "4M-21 B, 198 M parameters",
    "4M-21_L": "4M-21 L, 705 M parameters",
    "4M-21_XL": "4M-21 XL, 2.8 B parameters",
}

TEXT_TOKENIZER_NAME = "tokenizer/text"
"""The text tokenizer, which is one file of the 4M code repository."""

TEXT_TOKENIZER = "text_tokenizer_4m_wordpiece_30k.json"

COUNTED = ("image",)
"""Modalities whose readers count for the fingerprint of a space: most galleries are photos.

Tokenizers of the others may be downloaded after an index was built.
"""


def official_name(source: str) -> str | None:
    """`4M-21_B` for `4M-21_B` and `EPFL-VILAB/4M-21_B`; None if it is not an official model."""
    name = source.removeprefix(f"{OWNER}/")
    return name if name in MODELS else None


def is_tokenizer(source: str) -> bool:
    """Whether a text is the name of an official tokenizer, short or that of its repository."""
    name, known = source.removeprefix(f"{OWNER}/"), tokenizers()
    return (
        name in known
        or name == TEXT_TOKENIZER_NAME
        or name in {one.short_name for one in known.values()}
    )


def spaces() -> dict[str, SpaceEntry]:
    """Name -> embedding space of 4M-21, those of single vectors first.

    Several seeds draw as the retrieval notebook of 4M-21 does (4M-21 reference, sec. 4.3).
    """
    pairs = [(one.space, one.tokens.name) for one in MODALITIES.values() if one.space is not None]
    pairs.sort(key=lambda pair: pair[0].pool is not None)
    return {
        space.name: SpaceEntry(
            tokens,
            temperature=0.1,
            top_p=0.8,
            title=space.title,
            pool=space.pool,
            teacher=space.teacher,
        )
        for space, tokens in pairs
    }


def written_as_text() -> list[str]:
    """Modalities, by their names in checkpoints, that are made of the text tokenizer's pieces."""
    codecs = {one.tokens.name: one.codec() for one in MODALITIES.values()}
    return [name for name, codec in codecs.items() if codec and "text_tokenizer" in codec.needs]


def tokenizers() -> dict[str, OfficialTokenizer]:
    """Repository without its owner -> official tokenizer."""
    every = [one.tokenizer for one in MODALITIES.values() if one.tokenizer is not None]
    return {tokenizer.repository: tokenizer for tokenizer in every}


def tokenizer_repositories() -> dict[str, str]:
    """Modality, by its name in checkpoints -> repository of its tokenizer, without the owner."""
    return {
        one.tokens.name: one.tokenizer.repository
        for one in MODALITIES.values()
        if one.tokenizer is not None
    }


def official_tokenizer(name: str, config: Mapping[str, Any] | None = None) -> VQVAE:
    """An official tokenizer with random weights; build it under `torch.device("meta")` for shapes.

    Args:
        name: of its repository, without the owner.
        config: of a file, for the fields that are uncertain.

    Raises:
        ConfigError: no such tokenizer.
    """
    from fourm.tokenizers.loading import build_tokenizer

    known = tokenizers()
    if name not in known:
        raise ConfigError(f"unknown tokenizer {name!r}; known: {', '.join(known)}")
    given = {} if config is None else config
    own = {field: given[field] for field in known[name].uncertain_fields if field in given}
    return build_tokenizer({**known[name].config, **own})
