"""The 133 classes of COCO panoptic segmentation, each with a colour to draw it in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

HIGHEST_THING = 90
"""Category ids up to here are countable things, those above are stuff."""


@dataclass(frozen=True)
class PanopticClass:
    """One class.

    Attributes:
        id: COCO category id, 1 .. 200 with gaps; 0 is no class at all.
        name: COCO's name, e.g. `"person"` or `"sky-other-merged"`.
        colour: red, green, blue, 0 .. 255; no two classes share one, and none is black.
        is_thing: True for what can be counted (a dog), False for stuff (grass).
    """

    id: int
    name: str
    colour: tuple[int, int, int]
    is_thing: bool


@cache
def panoptic_classes() -> tuple[PanopticClass, ...]:
    """All classes by ascending id; the position in this tuple is the contiguous index 0 .. 132."""
    text = (
        files("fourm.modalities.seg").joinpath("panoptic_classes.json").read_text(encoding="utf-8")
    )
    return tuple(
        PanopticClass(row["id"], row["name"], tuple(row["colour"]), row["id"] <= HIGHEST_THING)
        for row in json.loads(text)
    )
