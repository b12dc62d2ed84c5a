"""What was decoded, as panels of a contact sheet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from fourm.modalities import Decoded
from fourm.modalities.boxes import Box
from fourm.modalities.poses import People
from retrieval.escaping import printable
from retrieval.generation.views import boxes_over, depth_colours, main_components, masks_over
from retrieval.modalities import MODALITIES
from retrieval.queries import Input, Query
from retrieval.report.panels import Panel, panels

_PICTURES = ("image_tokens", "normals", "edges", "sam_edges")
_NOTHING = (("", "nothing"),)
TITLES = {
    **{name: modality.title for name, modality in MODALITIES.items()},
    "image_tokens": "Image",
    "poses": "People",
}


def panel_of(decoded: Decoded, ground: Image.Image | None = None) -> Panel:
    """One panel.

    Args:
        decoded: of any kind.
        ground: the picture that boxes, objects and people belong to.
    """
    kind, value = decoded.modality, decoded.value
    if kind == "depth":
        return Panel(TITLES[kind], "depth map", picture=depth_colours(value))
    if kind in _PICTURES:
        return replace(_as_input(kind, Image.fromarray(value)), title=TITLES[kind])
    if kind == "poses":
        boxes = people_boxes(value)
        return _drawn(kind, f"{len(boxes)} people", boxes_over(boxes, ground) if boxes else None)
    if kind == "text":
        shown = printable(value)
        return Panel("Words", shown, words=shown or "(no words)")
    if kind.endswith("_features"):
        summary = " x ".join(map(str, value.shape))
        return Panel(TITLES[kind], summary, picture=main_components(value), crisp=True)
    if kind.endswith("_embedding"):
        rows = (("numbers", str(len(value))), ("length", f"{np.linalg.norm(value):.3g}"))
        return Panel(TITLES[kind], f"{len(value)} numbers", rows=rows)
    if not len(value) and kind != "seg":
        return _drawn(kind, "nothing", None)
    if kind == "boxes":
        return _drawn(kind, ", ".join(box.name for box in value), boxes_over(value, ground))
    if kind == "sam":
        picture = masks_over([mask.pixels for mask in value], ground)
        return _drawn(kind, f"{len(value)} objects", picture)
    return _as_input(kind, value)


def people_boxes(people: People) -> list[Box]:
    """Where the people are, as boxes."""
    width, height = people.size
    return [
        Box(
            person.box[0] / width,
            person.box[1] / height,
            person.box[2] / width,
            person.box[3] / height,
            "person",
        )
        for person in people.people
    ]


def _drawn(kind: str, summary: str, picture: Image.Image | None) -> Panel:
    rows = _NOTHING if picture is None else ()
    return Panel(TITLES[kind], summary, picture=picture, rows=rows)


def _as_input(kind: str, value: Any) -> Panel:
    (panel,) = panels(Query((Input(kind, value),)))
    return panel
