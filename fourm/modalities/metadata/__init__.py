"""Metadata of an image (4M-21 reference: metadata)."""

from __future__ import annotations

from typing import Any

from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.items import ItemVectors, item_codec
from fourm.modalities.metadata.computed import COMPUTABLE, computable_metadata
from fourm.modalities.metadata.keys import (
    KEYS,
    MetadataKey,
    checked_metadata,
    metadata_text,
    parse_metadata,
    parse_writable_metadata,
    read_metadata,
)
from fourm.modalities.metadata.vectors import METADATA_WIDTH, RANGES, metadata_items
from fourm.modalities.modality import GenerationDefaults, Modality
from fourm.modalities.written import written_codec
from fourm.tokens import TokenSpec, text_tokens

__all__ = [
    "COMPUTABLE",
    "KEYS",
    "METADATA",
    "METADATA_WIDTH",
    "RANGES",
    "MetadataKey",
    "checked_metadata",
    "computable_metadata",
    "metadata_items",
    "metadata_text",
    "parse_metadata",
    "parse_writable_metadata",
    "read_metadata",
]


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise BadInput(f"metadata is a dict of at least one key and its number, got {shown(value)}")
    return value


def _written(value: Any) -> str:
    return metadata_text(_metadata(value))


def _vectors(value: Any) -> ItemVectors:
    return metadata_items(_metadata(value))


def _longest(spec: TokenSpec) -> int:
    """All keys at once are a little more than what `max_tokens` was made for."""
    return min(max(spec.max_tokens, 2 * len(KEYS) + 1), spec.position_rows)


METADATA = Modality(
    name="metadata",
    tokens=text_tokens("metadata", 40),
    codecs={
        "seq": written_codec(_written, parse_writable_metadata, longest=_longest, keys=tuple(KEYS)),
        "seq_emb": item_codec(_vectors, METADATA_WIDTH, keys=tuple(RANGES)),
    },
    generation=GenerationDefaults("autoregressive", temperature=0.1),
    generation_order=150,
)
