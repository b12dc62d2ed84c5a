"""Labelled boxes (4M-21 reference: det)."""

from __future__ import annotations

from typing import Any

from fourm.errors import BadInput
from fourm.modalities.boxes.box import (
    LOWEST_SCORE,
    Box,
    boxes_text,
    check_box,
    crop_boxes,
    flip_boxes,
    parse_boxes,
    read_box,
    sure_boxes,
    thing_names,
)
from fourm.modalities.boxes.vectors import BOXES_WIDTH, box_items
from fourm.modalities.items import ItemVectors, item_codec
from fourm.modalities.modality import GenerationDefaults, Modality
from fourm.modalities.written import written_codec
from fourm.tokens import text_tokens

__all__ = [
    "BOXES",
    "BOXES_WIDTH",
    "LOWEST_SCORE",
    "Box",
    "box_items",
    "boxes_text",
    "check_box",
    "crop_boxes",
    "flip_boxes",
    "parse_boxes",
    "read_box",
    "sure_boxes",
    "thing_names",
]


def _boxes(value: Any) -> list[Box]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Box) for item in value):
        raise BadInput(f"expected a list of Box, got {type(value).__name__}", where="boxes")
    return list(value)


def _written(value: Any) -> str:
    boxes = _boxes(value)
    if boxes and not (text := boxes_text(boxes)):
        raise BadInput(f"none of the boxes has a score of at least {LOWEST_SCORE}")
    return text if boxes else ""


def _parsed(text: str) -> list[Box]:
    """The boxes of known classes that have an area."""
    boxes = []
    for box in parse_boxes(text):
        try:
            check_box(box)
        except BadInput:
            continue
        if box.xmin < box.xmax and box.ymin < box.ymax:
            boxes.append(box)
    return boxes


def _vectors(value: Any) -> ItemVectors:
    return box_items(_boxes(value))


BOXES = Modality(
    name="boxes",
    tokens=text_tokens("det", 256),
    codecs={
        "seq": written_codec(_written, _parsed),
        "seq_emb": item_codec(_vectors, BOXES_WIDTH),
    },
    generation=GenerationDefaults("autoregressive", temperature=0.3),
    generation_order=110,
)
