"""Colours, facts and boxes as lists of items, one vector each, for models that read them so.

4M-21 writes these as words (`palette_text`, `metadata_text`, `boxes_text`), and learns what the
numbers in them mean from many millions of pictures. A small model is better served by vectors in
which near values look alike: each item is a sparse vector of shares that a linear layer embeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fourm.checks import finite
from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.boxes import LOWEST_SCORE, Box, sure_boxes, thing_names
from fourm.modalities.palette import check_colours

Items = NDArray[np.float32]

COLOUR_KNOTS = 6
"""A colour is shared among the corners of its cell in a grid of 6 x 6 x 6 colours."""

PALETTE_WIDTH = COLOUR_KNOTS**3

FACT_KNOTS = 12
"""A value is shared between the two nearest of 12 equally spaced ones."""

FACTS: Mapping[str, tuple[float, float]] = {
    "n_humans": (0, 11),
    "n_coco_instances": (0, 22),
    "coco_instance_diversity": (0, 11),
    "colorfulness": (0, 110),
    "brightness": (0, 255),
    "contrast": (0, 110),
    "saturation": (0, 220),
    "entropy": (3, 8),
}
"""Facts that are read, and the range within which their values are told apart."""

FACTS_WIDTH = len(FACTS) * FACT_KNOTS

CELLS = 6
"""A box covers cells of a grid of 6 x 6, each to some share."""

PLACES = 3
SIZES = 4
BOX_CLASSES = 80
BOXES_WIDTH = BOX_CLASSES * (1 + PLACES**2 + SIZES) + CELLS**2
"""Class; class and place of the middle; class and size; cells that are covered."""


def palette_items(colours: Sequence[Sequence[float]]) -> Items:
    """(n, PALETTE_WIDTH) float32: 1 .. 7 colours, each red, green, blue from 0 to 255.

    Raises:
        BadInput: none or more than 7 colours, or a part that is missing or out of range.
    """
    values = np.array(check_colours(colours))
    red, green, blue = (shares(values[:, part], 0, 255, COLOUR_KNOTS) for part in range(3))
    cells: Items = np.einsum("nr,ng,nb->nrgb", red, green, blue).astype(np.float32)
    return cells.reshape(len(values), PALETTE_WIDTH)


def fact_items(facts: Mapping[str, float]) -> Items:
    """(n, FACTS_WIDTH) float32: one row a fact, in the order of `FACTS`.

    Raises:
        BadInput: none at all, a key that `FACTS` has not, or a value that is no finite number.
    """
    unknown = [name for name in facts if name not in FACTS]
    if unknown or not facts:
        refused = ", ".join(map(shown, unknown)) if unknown else "nothing"
        raise BadInput(f"this model reads {', '.join(FACTS)}; not {refused}", where="metadata")
    rows = np.zeros((len(facts), len(FACTS), FACT_KNOTS), np.float32)
    given = [name for name in FACTS if name in facts]
    for row, name in zip(rows, given, strict=True):
        value = finite(facts[name], name)
        row[list(FACTS).index(name)] = shares(np.array([value]), *FACTS[name], FACT_KNOTS)[0]
    return rows.reshape(len(facts), FACTS_WIDTH)


def box_items(boxes: Iterable[Box]) -> Items:
    """(n, BOXES_WIDTH) float32: one row a box, largest first; those with a low score are left out.

    Raises:
        BadInput: see `check_box`; no box with a score of at least `LOWEST_SCORE`.
    """
    kept = sure_boxes(boxes)
    if not kept:
        raise BadInput(f"none of the boxes has a score of at least {LOWEST_SCORE}")
    kept.sort(key=_area, reverse=True)
    return np.stack([_box_item(box) for box in kept])


def _box_item(box: Box) -> Items:
    number = _class_numbers()[box.name]
    named = np.zeros((BOX_CLASSES, 1 + PLACES**2 + SIZES), np.float64)
    named[number, 0] = 1
    down = shares(np.array([(box.ymin + box.ymax) / 2]), 1 / 6, 5 / 6, PLACES)[0]
    right = shares(np.array([(box.xmin + box.xmax) / 2]), 1 / 6, 5 / 6, PLACES)[0]
    named[number, 1 : 1 + PLACES**2] = np.outer(down, right).ravel()
    # By the side of a square as large: 0.1 is a hand, 1 the whole picture.
    named[number, 1 + PLACES**2 :] = shares(np.array([_area(box) ** 0.5]), 0.1, 1, SIZES)[0]
    cover = np.outer(_covered(box.ymin, box.ymax), _covered(box.xmin, box.xmax))
    return np.concatenate([named.ravel(), cover.ravel()]).astype(np.float32)


def shares(values: NDArray[np.float64], low: float, high: float, knots: int) -> NDArray[np.float64]:
    """(n,) values -> (n, knots), each shared between the two knots around it; rows sum to 1.

    Knots are equally spaced from low to high; what lies beyond counts as the nearest.
    """
    place = (np.clip(values, low, high) - low) / (high - low) * (knots - 1)
    below = np.minimum(place.astype(np.int64), knots - 2)
    rows = np.zeros((len(values), knots))
    index = np.arange(len(values))
    rows[index, below] = 1 - (place - below)
    rows[index, below + 1] = place - below
    return rows


def _covered(low: float, high: float) -> NDArray[np.float64]:
    """(CELLS,): which share of each cell of an axis lies between two edges."""
    edges = np.arange(CELLS + 1) / CELLS
    inside: NDArray[np.float64] = np.clip(
        np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1]), 0, None
    )
    return inside * CELLS


def _area(box: Box) -> float:
    return (box.xmax - box.xmin) * (box.ymax - box.ymin)


@cache
def _class_numbers() -> Mapping[str, int]:
    return {name: number for number, name in enumerate(sorted(thing_names()))}
