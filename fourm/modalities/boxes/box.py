"""Labelled boxes, and the text that 4M-21 reads them as."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fourm.checks import finite, finite_numbers
from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.decimals import decimal
from fourm.modalities.number_words import LARGEST, number_word, read_number, read_numbers
from fourm.modalities.seg.classes import panoptic_classes

LOWEST_SCORE = 0.6
"""Boxes with a lower detection score are left out, as in training."""


@dataclass(frozen=True)
class Box:
    """One object: its class and where it lies, as fractions of the image's width and height.

    Attributes:
        xmin, ymin, xmax, ymax: 0 .. 1, from the top left corner.
        name: one of the 80 COCO classes, e.g. `"person"`.
        score: of its detection, 0 .. 1.
    """

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    name: str
    score: float = 1.0


def thing_names() -> frozenset[str]:
    """The 80 classes that a box may have."""
    return frozenset(row.name for row in panoptic_classes() if row.is_thing)


def check_box(box: Box) -> None:
    """Refuse a box that has no tokens.

    Raises:
        BadInput: a coordinate or a score outside 0 .. 1 or not a number, edges the wrong way round,
            or a name that is not a COCO class.
    """
    name = shown(box.name)
    where = f"the box of {name} within 0 and 1"
    edges = finite_numbers((box.xmin, box.ymin, box.xmax, box.ymax), where, 4)
    if not all(0 <= edge <= 1 for edge in edges):
        raise BadInput(
            f"the box of {name} must lie within 0 and 1 (fractions of the image), "
            f"got {', '.join(f'{edge:g}' for edge in edges)}"
        )
    if not 0 <= finite(box.score, "the score of a box") <= 1:
        raise BadInput(f"the score of a box must be between 0 and 1, got {shown(box.score)}")
    if box.xmin > box.xmax or box.ymin > box.ymax:
        raise BadInput(f"the box of {name} must be xmin,ymin,xmax,ymax with the smaller ones first")
    if not isinstance(box.name, str) or box.name not in thing_names():
        raise BadInput(
            f"{name} is not one of the 80 COCO classes that `fourm classes` lists as things"
        )


def sure_boxes(boxes: Iterable[Box]) -> list[Box]:
    """The boxes with a score of at least `LOWEST_SCORE`, in their order.

    Raises:
        BadInput: see `check_box`.
    """
    kept = [box for box in boxes if finite(box.score, "the score of a box") >= LOWEST_SCORE]
    for box in kept:
        check_box(box)
    return kept


def boxes_text(boxes: Iterable[Box]) -> str:
    """Boxes as the model reads them: `v0=50 v1=100 v2=300 v3=599 dog v0=...`.

    Boxes come nearest to the top left corner first; those with a low score are left out. No boxes
    give an empty text.

    Raises:
        BadInput: see `check_box`.
    """
    kept = sure_boxes(boxes)
    kept.sort(key=lambda box: box.xmin**2 + box.ymin**2)
    return " ".join(
        " ".join(number_word(axis, round(edge * LARGEST)) for axis, edge in enumerate(edges))
        + f" {box.name}"
        for box in kept
        for edges in [(box.xmin, box.ymin, box.xmax, box.ymax)]
    )


def parse_boxes(text: str) -> list[Box]:
    """Boxes of a text that a model has written; what is truncated or malformed is skipped."""
    words = text.split()
    boxes = []
    at = 0
    while at < len(words):
        edges = read_numbers(words[at : at + 4], range(4))
        if edges is None:
            at += 1
            continue
        at += 4
        name = []
        while at < len(words) and read_number(words[at]) is None:
            name.append(words[at])
            at += 1
        if name:
            xmin, ymin, xmax, ymax = (edge / LARGEST for edge in edges)
            boxes.append(Box(xmin, ymin, xmax, ymax, " ".join(name)))
    return boxes


def crop_boxes(
    boxes: Iterable[Box], size: tuple[int, int], crop: tuple[int, int, int, int]
) -> list[Box]:
    """Boxes of an image as boxes of a crop of it; those without area there are dropped.

    Args:
        boxes: fractions of the whole image.
        size: its width and height in pixels.
        crop: left, top, right, bottom of the crop, in pixels.
    """
    left, top, right, bottom = crop
    cropped = []
    for box in boxes:
        x = [_clip((edge * size[0] - left) / (right - left)) for edge in (box.xmin, box.xmax)]
        y = [_clip((edge * size[1] - top) / (bottom - top)) for edge in (box.ymin, box.ymax)]
        if x[0] < x[1] and y[0] < y[1]:
            cropped.append(replace(box, xmin=x[0], xmax=x[1], ymin=y[0], ymax=y[1]))
    return cropped


def flip_boxes(boxes: Iterable[Box]) -> list[Box]:
    """The boxes of the mirrored image."""
    return [replace(box, xmin=1 - box.xmax, xmax=1 - box.xmin) for box in boxes]


def read_box(text: str) -> Box:
    """A box as a user writes it: `person:0.1,0.2,0.4,0.9` (xmin, ymin, xmax, ymax).

    Raises:
        BadInput: another form, or see `check_box`.
    """
    name, _, numbers = text.rpartition(":")
    try:
        xmin, ymin, xmax, ymax = map(decimal, numbers.split(","))
    except ValueError:
        raise BadInput(
            f"{shown(text)} is not a box: write class:xmin,ymin,xmax,ymax, "
            "for example person:0.1,0.2,0.4,0.9"
        ) from None
    box = Box(xmin, ymin, xmax, ymax, name.strip())
    check_box(box)
    return box


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)
