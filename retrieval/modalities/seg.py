"""Segmentation maps: which COCO panoptic class is where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import PANEL_SIDE, LegendEntry, Panel
from retrieval.inputs import Input
from retrieval.modalities.drawings import BGR, shape_text
from retrieval.modalities.modality import Items, Modality, Modifier, Output, Source, Summary
from retrieval.suffixes import ARRAY_SUFFIXES, IMAGE_SUFFIXES

if TYPE_CHECKING:
    from fourm.modalities import Decoded


SEG_FORMAT = Modifier(
    "seg_format",
    "FORMAT",
    "Format of --seg: auto (the default: detected where it is certain), coco, coco-contiguous, "
    "coco-stuff, coco-panoptic, ade20k, cityscapes or voc.",
    typed=True,
    choices=(
        *("auto", "coco", "coco-contiguous", "coco-stuff", "coco-panoptic"),
        *("ade20k", "cityscapes", "voc"),
    ),
    formerly="coco",
)


def _read(source: object, *, seg_format: str = "auto", bgr: bool = False) -> Input:
    from retrieval.modalities.segmentation.reading import read_map

    return read_map(source, seg_format=seg_format, bgr=bgr)


def _summary() -> Summary:
    from retrieval.modalities.segmentation.summary import MapSummary

    return MapSummary()


def _draw(entry: Input, title: str) -> Panel:
    """The map in the classes' colours, transparent where there is no class, with a legend."""
    import numpy as np
    from PIL import Image

    from retrieval.escaping import printable
    from retrieval.modalities.panoptic import NOTHING, coco_panoptic

    table = coco_panoptic()
    ids = entry.value
    found, counts = np.unique(ids, return_counts=True)
    shares = sorted(zip(counts / ids.size, found, strict=True), reverse=True)
    legend = tuple(
        LegendEntry(table.names[int(number)], table.colours[int(number)], float(share))
        for share, number in shares
        if number != NOTHING
    )
    pixels = np.dstack([table.paint(ids), np.where(ids == NOTHING, 0, 255).astype(np.uint8)])
    image = Image.fromarray(pixels)
    scale = PANEL_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(size, Image.Resampling.NEAREST)
    name = printable(entry.name) if entry.name else None
    return Panel(title, name or title.lower(), None, image, True, name, legend)


def _write(decoded: Decoded, panel: Panel) -> tuple[Any, ...]:
    """The ids, the map in colours, and the map with its legend."""
    from PIL import Image

    from retrieval.drawing.blocks import draw_panel
    from retrieval.modalities.panoptic import coco_panoptic

    colours = Image.fromarray(coco_panoptic().paint(decoded.value))
    return Image.fromarray(decoded.value), colours, draw_panel(panel)


SEG = Modality(
    "seg",
    "Segmentation map",
    (
        Source(
            "seg",
            "FILE",
            "Segmentation map: a PNG of class ids (see --seg-format), or in the colours that "
            "`fourm classes` prints. A binary mask: dog=mask.png. May be repeated with masks.",
            repeated=True,
            forms=("string", "object"),
            named_files=True,
            read=_read,
            items=Items("segmentation maps", IMAGE_SUFFIXES | ARRAY_SUFFIXES, summary=_summary),
            modifiers=(SEG_FORMAT, BGR),
        ),
    ),
    draw=_draw,
    output=Output(
        (".png", "_colours.png", "_legend.png"), write=_write, summary=shape_text, preview=2
    ),
    aliases=("semseg", "segmentation"),
)
