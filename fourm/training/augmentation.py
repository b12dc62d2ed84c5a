"""Random variations of training inputs, as of another person or detector."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from fourm.modalities.boxes import Box, box_items, flip_boxes
from fourm.modalities.items import ItemVectors
from fourm.modalities.metadata import metadata_items
from fourm.modalities.palette import MOST_COLOURS, Colour, palette_items

MOST_BOXES = 32


@dataclass(frozen=True)
class PhotoItems:
    """What is known of one photo besides its pixels.

    Attributes:
        palettes: of 1, 2 ... 7 colours, RGB from 0 to 255.
        metadata: values by key.
        boxes: with their scores, best first.
    """

    palettes: Sequence[Sequence[Colour]]
    metadata: dict[str, float]
    boxes: Sequence[Box]


def vary_palette(photo: PhotoItems, rng: random.Random) -> ItemVectors:
    """A palette of random length with noise on its colours."""
    colours = photo.palettes[rng.randrange(MOST_COLOURS)]
    return palette_items([[min(255, max(0, p + rng.gauss(0, 8))) for p in c] for c in colours])


def vary_metadata(photo: PhotoItems, rng: random.Random) -> ItemVectors:
    """All values half of the time, else about 40 % of them."""
    kept = photo.metadata
    if rng.random() < 0.5:
        kept = {key: value for key, value in kept.items() if rng.random() < 0.4} or kept
    return metadata_items(kept)


def vary_boxes(photo: PhotoItems, rng: random.Random) -> ItemVectors | None:
    """Boxes with noise, sometimes mirrored or with some left out; None if there are none."""
    least = rng.choice((0.35, 0.5, 0.6))
    found = [box for box in photo.boxes if box.score >= least][:MOST_BOXES]
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


def vary_label_map(
    labels: Tensor, similar: Sequence[tuple[int, ...]], rng: random.Random
) -> Tensor:
    """A label map as drawn by hand: coarser, shifted, with classes confused or left out.

    Args:
        labels: (S, S) uint8, S divisible by 8; 0 for no class.
        similar: groups of labels that are confused with each other.
        rng: source of randomness.
    """
    out, side = labels.clone(), len(labels)
    if rng.random() < 0.3:
        cell = rng.choice((2, 4, 8))
        centre = out[cell // 2 :: cell, cell // 2 :: cell]
        out = centre.repeat_interleave(cell, 0).repeat_interleave(cell, 1)
    if rng.random() < 0.3:
        down, right = rng.randint(-6, 6), rng.randint(-6, 6)
        rows = (torch.arange(side) + down).clamp(0, side - 1)
        columns = (torch.arange(side) + right).clamp(0, side - 1)
        out = out[rows][:, columns]
    for group in similar:
        if rng.random() < 0.15:
            into = rng.choice(group)
            for label in group:
                out = out.masked_fill(out == label, into)
    present = [int(label) for label in out.unique() if label]
    for label in present[1:]:
        if rng.random() < 0.12:
            out = out.masked_fill(out == label, 0)
    return out


def thick_brush(labels: Tensor, rng: random.Random) -> Tensor:
    """A label map (S, S) uint8 painted with a wide brush half of the time: corners become round."""
    if rng.random() < 0.5:
        return labels
    size = rng.choice((5, 7, 9, 13))
    painted = Image.fromarray(labels.numpy()).filter(ImageFilter.ModeFilter(size))
    return torch.from_numpy(np.array(painted))
