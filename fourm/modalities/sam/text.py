"""Points and the objects at them, and the text that 4M-21 reads them as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import BadInput
from fourm.modalities.number_words import code_words, number_word, read_codes, read_numbers

SAM_SIDE = 224
MASK_SIDE = 64
CODES = 16
GRID = tuple((x, y) for x in range(28, SAM_SIDE, 28) for y in range(28, SAM_SIDE, 28))
"""The 7 x 7 points (x, y), in pixels, at which instances may be asked for."""


@dataclass(frozen=True)
class SamInstance:
    """One object: its box in pixels of the square image, and the shape inside it.

    Attributes:
        xmin, ymin, xmax, ymax: pixels 0 .. 223; 224 for an object that the square's right or lower
            edge cuts off, as training wrote those.
        codes: 16 tokens 0 .. 1023 of the mask tokenizer, row by row.
    """

    xmin: int
    ymin: int
    xmax: int
    ymax: int
    codes: tuple[int, ...]


@dataclass(frozen=True)
class Point:
    """A pixel, and the objects that contain it."""

    x: int
    y: int
    instances: tuple[SamInstance, ...] = ()


def sam_text(points: Sequence[Point]) -> str:
    """Points as the model reads them: `point v0=<y> v1=<x> polygon v0=20 ... point ... none`.

    Raises:
        BadInput: a point outside 0 .. 223, a box outside 0 .. 224 or the wrong way round, or not
            16 codes 0 .. 1023.
    """
    words = []
    for point in points:
        _check_pixels("point", (point.x, point.y), SAM_SIDE - 1)
        words += ["point", number_word(0, point.y), number_word(1, point.x)]
        for instance in point.instances:
            edges = (instance.xmin, instance.ymin, instance.xmax, instance.ymax)
            _check_pixels("box", edges, SAM_SIDE)
            if instance.xmin > instance.xmax or instance.ymin > instance.ymax:
                raise BadInput("the box of an instance must be xmin, ymin, xmax, ymax")
            if len(instance.codes) != CODES:
                raise BadInput(f"an instance has {CODES} codes, got {len(instance.codes)}")
            words += ["polygon", *(number_word(axis, edge) for axis, edge in enumerate(edges))]
            words += code_words(instance.codes)
        if not point.instances:
            words.append("none")
    return " ".join(words)


def parse_sam(text: str) -> list[Point]:
    """Points of a text that a model has written; what is malformed or truncated is skipped."""
    points = []
    for chunk in text.split("point")[1:]:
        first, *outlines = chunk.split("polygon")
        position = read_numbers(first.split(), (0, 1))
        if position is None or max(position) >= SAM_SIDE:
            continue
        instances = []
        for outline in outlines:
            words = outline.split()
            edges, codes = read_numbers(words, range(4)), read_codes(words[4:], CODES)
            if edges is not None and codes is not None and max(edges) <= SAM_SIDE:
                xmin, ymin, xmax, ymax = edges
                instances.append(SamInstance(xmin, ymin, xmax, ymax, tuple(codes)))
        points.append(Point(x=position[1], y=position[0], instances=tuple(instances)))
    return points


def mask_to_box(mask: Any) -> tuple[tuple[int, int, int, int], NDArray[np.uint8]]:
    """An object's mask as its box and, for the mask tokenizer, the mask inside the box.

    Args:
        mask: (H, W), not zero where the object is.

    Returns:
        xmin, ymin, xmax, ymax (pixels, both ends belong to the object); (64, 64) uint8, 0 or 1,
        resized by nearest neighbour.

    Raises:
        BadInput: not two axes, or nothing in it.
    """
    array = np.asarray(mask)
    if array.ndim != 2:
        raise BadInput(f"a mask must be (H, W), got {array.shape}")
    inside = array != 0
    if not inside.any():
        raise BadInput("the mask is empty: it shows no object")
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    ymin, ymax, xmin, xmax = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
    part = Image.fromarray(inside[ymin : ymax + 1, xmin : xmax + 1].astype(np.uint8))
    resized = part.resize((MASK_SIDE, MASK_SIDE), Image.Resampling.NEAREST)
    return (xmin, ymin, xmax, ymax), np.array(resized)


def _check_pixels(what: str, values: Sequence[int], highest: int) -> None:
    if not all(0 <= value <= highest for value in values):
        shown = ", ".join(map(str, values))
        raise BadInput(f"a {what} must lie in pixels 0 to {highest} of the square, got {shown}")
