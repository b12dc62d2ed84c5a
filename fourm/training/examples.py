"""What a photo gives without another network, as stage `further` learns from it: palettes, facts
and boxes, and how a hand or another detector might have made them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fourm.modalities.boxes import Box, box_items, flip_boxes
from fourm.modalities.items import Items
from fourm.modalities.metadata import metadata_items
from fourm.modalities.palette import MOST_COLOURS, palette_items

Colour = Sequence[float]

MOST_BOXES = 32


@dataclass(frozen=True)
class Example:
    """One photo.

    Attributes:
        palettes: of 1, 2 ... 7 colours.
        facts: by key.
        boxes: with their scores.
    """

    palettes: Sequence[Sequence[Colour]]
    facts: dict[str, float]
    boxes: Sequence[Box]


def palette(example: Example, rng: random.Random) -> Items:
    """A palette of any length, its colours a little off."""
    colours = example.palettes[rng.randrange(MOST_COLOURS)]
    return palette_items([[min(255, max(0, p + rng.gauss(0, 8))) for p in c] for c in colours])


def facts(example: Example, rng: random.Random) -> Items:
    """All facts half of the time, else about 40 % of them."""
    kept = example.facts
    if rng.random() < 0.5:
        kept = {key: value for key, value in kept.items() if rng.random() < 0.4} or kept
    return metadata_items(kept)


def boxes(example: Example, rng: random.Random) -> Items | None:
    """Boxes a little off, sometimes mirrored or with some left out; None if there are none."""
    least = rng.choice((0.35, 0.5, 0.6))
    found = [box for box in example.boxes if box.score >= least][:MOST_BOXES]
    if len(found) > 1 and rng.random() < 0.4:
        found = [box for box in found if rng.random() < 0.75] or found
    if rng.random() < 0.3:
        found = flip_boxes(found)
    moved = [_moved(box, rng) for box in found]
    kept = [box for box in moved if box.xmin < box.xmax and box.ymin < box.ymax]
    return box_items(kept) if kept else None


def _moved(box: Box, rng: random.Random) -> Box:
    edges = (box.xmin, box.ymin, box.xmax, box.ymax)
    xmin, ymin, xmax, ymax = (min(1.0, max(0.0, edge + rng.gauss(0, 0.02))) for edge in edges)
    return replace(box, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax, score=1.0)
