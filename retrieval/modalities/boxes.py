"""Labelled boxes of objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import Panel, empty_panel
from retrieval.inputs import Input
from retrieval.modalities.modality import Items, Modality, Output, Source

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded

_FILES = (".json", ".txt")


def _read(source: object) -> Input:
    from retrieval.modalities.box_files import read_boxes

    return read_boxes(source, _FILES)


def _draw(entry: Input, title: str) -> Panel:
    from retrieval.drawing.painting import boxes_on_white
    from retrieval.escaping import printable

    names = ", ".join(box.name for box in entry.value)
    name = printable(entry.name) if entry.name else None
    return Panel(title, names, image=boxes_on_white(entry.value), name=name)


def _draw_output(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    from retrieval.drawing.painting import boxes_over

    if not decoded.value:
        return empty_panel(title)
    names = ", ".join(box.name for box in decoded.value)
    return Panel(title, names, image=boxes_over(decoded.value, ground))


def _write(decoded: Decoded, panel: Panel) -> tuple[Any, ...]:
    from retrieval.modalities.box_files import coco_text

    return coco_text(decoded.value), panel.image


BOXES = Modality(
    "boxes",
    "Boxes",
    (
        Source(
            "boxes",
            "BOX",
            "class:xmin,ymin,xmax,ymax as fractions, e.g. person:0.1,0.2,0.4,0.9, "
            "or a COCO, LabelMe (.json) or YOLO (.txt) file. May be repeated.",
            typed=True,
            repeated=True,
            forms=("string", "list"),
            read=_read,
            items=Items("files of boxes", frozenset(_FILES)),
            file_suffixes=_FILES,
        ),
    ),
    draw=_draw,
    output=Output((".json", ".png"), write=_write, draw=_draw_output),
)
