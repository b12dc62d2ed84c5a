"""Boxes as vectors that are similar for similar boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.modalities.boxes.box import LOWEST_SCORE, Box, sure_boxes, thing_names
from fourm.modalities.items import ItemVectors, shares

CELLS = 6
"""A box covers cells of a grid of 6 x 6, each to some share."""

POSITIONS = 3
SIZES = 4
BOX_CLASSES = 80
BOXES_WIDTH = BOX_CLASSES * (1 + POSITIONS**2 + SIZES) + CELLS**2
"""Class; class and position of the centre; class and size; cells that are covered."""


def box_items(boxes: Iterable[Box]) -> ItemVectors:
    """(n, BOXES_WIDTH) float32: one row a box, largest first; those with a low score are left out.

    Raises:
        BadInput: see `check_box`; no box with a score of at least `LOWEST_SCORE`.
    """
    kept = sure_boxes(boxes)
    if not kept:
        raise BadInput(f"none of the boxes has a score of at least {LOWEST_SCORE}")
    kept.sort(key=_area, reverse=True)
    return np.stack([_box_item(box) for box in kept])


def _box_item(box: Box) -> ItemVectors:
    number = _class_numbers()[box.name]
    named = np.zeros((BOX_CLASSES, 1 + POSITIONS**2 + SIZES), np.float64)
    named[number, 0] = 1
    down = shares(np.array([(box.ymin + box.ymax) / 2]), 1 / 6, 5 / 6, POSITIONS)[0]
    right = shares(np.array([(box.xmin + box.xmax) / 2]), 1 / 6, 5 / 6, POSITIONS)[0]
    named[number, 1 : 1 + POSITIONS**2] = np.outer(down, right).ravel()
    # By the side of a square as large: 0.1 is a hand, 1 the whole image.
    named[number, 1 + POSITIONS**2 :] = shares(np.array([_area(box) ** 0.5]), 0.1, 1, SIZES)[0]
    cover = np.outer(_covered(box.ymin, box.ymax), _covered(box.xmin, box.xmax))
    return np.concatenate([named.ravel(), cover.ravel()]).astype(np.float32)


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
