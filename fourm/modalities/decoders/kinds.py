"""Which decoder makes which kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from fourm.errors import UnknownModality
from fourm.modalities.decoders.base import Decoder
from fourm.modalities.decoders.features import FeatureDecoder
from fourm.modalities.decoders.grids import (
    DepthDecoder,
    EdgeDecoder,
    GridDecoder,
    MapDecoder,
    PictureDecoder,
)
from fourm.modalities.decoders.objects import CodedDecoder, InstancesDecoder, PeopleDecoder
from fourm.modalities.decoders.texts import (
    BoxesDecoder,
    MetadataDecoder,
    PaletteDecoder,
    TextDecoder,
)

if TYPE_CHECKING:
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.tokenizers.wordpiece import TextTokenizer

_GRIDS: Mapping[str, type[GridDecoder]] = {
    "image_tokens": PictureDecoder,
    "normals": PictureDecoder,
    "edges": EdgeDecoder,
    "sam_edges": EdgeDecoder,
    "depth": DepthDecoder,
    "seg": MapDecoder,
}
_FEATURES = (
    "clip_features",
    "dinov2_features",
    "imagebind_features",
    "dinov2_embedding",
    "imagebind_embedding",
)
_WRITTEN: Mapping[str, type[TextDecoder]] = {
    "text": TextDecoder,
    "boxes": BoxesDecoder,
    "palette": PaletteDecoder,
    "metadata": MetadataDecoder,
}
_CODED: Mapping[str, type[CodedDecoder]] = {"sam": InstancesDecoder, "poses": PeopleDecoder}


class Needs(NamedTuple):
    """What decoding a kind takes: its own tokenizer, the tokenizer of words, or both."""

    tokenizer: bool
    words: bool


def needs(kind: str) -> Needs | None:
    """What decoding a kind takes; None if it cannot be decoded."""
    if kind in _GRIDS or kind in _FEATURES:
        return Needs(tokenizer=True, words=False)
    if kind in _WRITTEN:
        return Needs(tokenizer=False, words=True)
    return Needs(tokenizer=True, words=True) if kind in _CODED else None


def decoder_for(
    kind: str, tokenizer: VQVAE | None = None, words: TextTokenizer | None = None
) -> Decoder:
    """The decoder of a kind, from the parts that it `needs`.

    Raises:
        UnknownModality: a kind that cannot be decoded, or without its parts.
        ConfigError: a tokenizer of something else.
    """
    if tokenizer is not None:
        if kind in _GRIDS:
            return _GRIDS[kind](kind, tokenizer)
        if kind in _FEATURES:
            return FeatureDecoder(kind, tokenizer)
        if kind in _CODED and words is not None:
            return _CODED[kind](kind, words, tokenizer)
    if kind in _WRITTEN and words is not None:
        return _WRITTEN[kind](kind, words)
    raise UnknownModality(f"{kind!r} cannot be decoded with the parts that were given")
