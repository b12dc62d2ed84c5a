"""Which reader reads which kind of input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fourm.modalities.items import (
    BOXES_WIDTH,
    FACTS_WIDTH,
    PALETTE_WIDTH,
    box_items,
    fact_items,
    palette_items,
)
from fourm.modalities.readers.base import Reader
from fourm.modalities.readers.features import FeatureReader
from fourm.modalities.readers.grids import ByteReader, DepthReader, MapReader
from fourm.modalities.readers.items import ItemsReader
from fourm.modalities.readers.objects import InstancesReader, PosesReader
from fourm.modalities.readers.photos import DrawingReader, PictureReader
from fourm.modalities.readers.sentences import SentenceReader, StatesReader
from fourm.modalities.readers.values import as_boxes, as_colours, as_facts
from fourm.modalities.readers.words import BoxesReader, MetadataReader, PaletteReader, WordReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fourm.tokens import TokenSpec


class Parts(NamedTuple):
    """What a modality has in its bundle; each is located when it is first needed, or None."""

    tokenizer: Callable[[], Path] | None = None
    words: Callable[[], Path] | None = None
    language_model: Callable[[], Path] | None = None


def reader_for(kind: str, modality: TokenSpec, parts: Parts) -> Reader | None:
    """The reader of a kind, or None if it cannot be read as this modality with these parts."""
    tokenizer, words, language_model = parts
    if kind == "image" and modality.kind == "pixels":
        return PictureReader(modality)
    if kind == "edges" and modality.kind == "pixels" and modality.channels == 1:
        return DrawingReader(modality)
    if kind in _ITEMS and modality.kind == "seq_emb":
        return ItemsReader(modality, *_ITEMS[kind])
    if kind == "t5" and modality.kind == "seq_emb":
        return StatesReader(modality)
    if modality.kind == "img" and tokenizer is not None:
        if kind in _GRIDS:
            return _GRIDS[kind](modality, tokenizer)
        if kind in _SQUARES:
            return ByteReader(modality, tokenizer, _SQUARES[kind])
        if kind in _FEATURES:
            return FeatureReader(modality, tokenizer)
    if modality.kind == "seq" and words is not None:
        if kind in _WRITTEN:
            return _WRITTEN[kind](modality, words)
        if kind in _CODED and tokenizer is not None:
            return _CODED[kind](modality, words, tokenizer)
    if kind == "text" and modality.kind == "seq_emb" and language_model is not None:
        return SentenceReader(modality, language_model)
    return None


def _edges(image: Any, side: int) -> NDArray[np.uint8]:
    from fourm.modalities.edges import square_edges

    return square_edges(image, side)


def _normals(image: Any, side: int) -> NDArray[np.uint8]:
    from fourm.modalities.normals import square_normals

    return square_normals(image, side)


def _photo(image: Any, side: int) -> NDArray[np.uint8]:
    from fourm.modalities.pixels import square_pixels

    return square_pixels(image, side)


_ITEMS: Mapping[str, tuple[Callable[[Any], NDArray[np.float32]], int]] = {
    "palette": (lambda value: palette_items(as_colours(value)), PALETTE_WIDTH),
    "metadata": (lambda value: fact_items(as_facts(value)), FACTS_WIDTH),
    "boxes": (lambda value: box_items(as_boxes(value)), BOXES_WIDTH),
}
_GRIDS: Mapping[str, type[MapReader] | type[DepthReader]] = {
    "seg": MapReader,
    "depth": DepthReader,
}
_SQUARES = {"normals": _normals, "edges": _edges, "sam_edges": _edges, "image_tokens": _photo}
_FEATURES = (
    "clip_features",
    "dinov2_features",
    "imagebind_features",
    "dinov2_embedding",
    "imagebind_embedding",
)
_WRITTEN: Mapping[str, type[WordReader]] = {
    "text": WordReader,
    "boxes": BoxesReader,
    "palette": PaletteReader,
    "metadata": MetadataReader,
}
_CODED: Mapping[str, type[InstancesReader] | type[PosesReader]] = {
    "sam": InstancesReader,
    "poses": PosesReader,
}
