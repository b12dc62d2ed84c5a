"""Masks of objects, as SAM makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import Panel, empty_panel
from retrieval.inputs import Input
from retrieval.modalities.drawings import image_panel
from retrieval.modalities.modality import Items, Modality, Output, Source

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded


def _read(source: object) -> Input:
    from retrieval.modalities.object_masks import read_masks

    return read_masks(source)


def _draw(entry: Input, title: str) -> Panel:
    """Masks over each other, each in a grey of its own."""
    import numpy as np
    from PIL import Image

    shades = np.linspace(110, 255, len(entry.value)).astype(np.uint8)
    canvas = np.zeros(np.shape(entry.value[0].pixels), np.uint8)
    for mask, shade in zip(entry.value, shades, strict=True):
        canvas[np.asarray(mask.pixels) != 0] = shade
    return image_panel(Image.fromarray(canvas), entry.name, title)


def _draw_output(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    from retrieval.drawing.painting import masks_over

    if not decoded.value:
        return empty_panel(title)
    image = masks_over([mask.pixels for mask in decoded.value], ground)
    return Panel(title, f"{len(decoded.value)} objects", image=image)


def _write(decoded: Decoded, panel: Panel) -> tuple[Any, ...]:
    from retrieval.modalities.object_masks import coco_text

    return coco_text(decoded.value), panel.image


SAM = Modality(
    "sam",
    "Object masks",
    (
        Source(
            "sam",
            "FILE",
            "Masks of objects: JSON with COCO run lengths or polygons.",
            forms=("string", "list", "object"),
            read=_read,
            items=Items("files of masks", frozenset({".json"})),
        ),
    ),
    draw=_draw,
    output=Output((".json", ".png"), write=_write, draw=_draw_output),
    aliases=("instances",),
)
