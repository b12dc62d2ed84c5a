"""Drawings as people make them: the outlines of things, with a pen and an unsteady hand."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fourm.modalities.edges import square_edges
from fourm.training.edges import SIDE, thickened, warped

Pixels = NDArray[np.uint8]

PENS = (1, 3, 3, 5)
"""Widths of a pen, in pixels of a drawing about 224 wide."""


def outlines(labels: Pixels) -> Pixels:
    """Where a map (S, S) changes its label: uint8 (S, S), 255 on a line one pixel wide."""
    lines = np.zeros(labels.shape, np.bool_)
    lines[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    lines[1:] |= labels[1:] != labels[:-1]
    return (lines * 255).astype(np.uint8)


def draw_things(instances: Pixels, stuff: Pixels | None, rng: random.Random) -> Pixels:
    """A drawing of a photo's objects and, half of the time, of the regions around them.

    Args:
        instances: (S, S) numbers of objects, 0 for none.
        stuff: (S, S) labels of everything else, or None.
        rng: source of randomness.

    Returns:
        uint8 (S, S), 255 on a line.
    """
    numbers = [int(n) for n in np.unique(instances) if n]
    sizes = {n: int((instances == n).sum()) for n in numbers}
    large = [n for n in numbers if sizes[n] >= 0.002 * instances.size]
    if len(large) > 1 and rng.random() < 0.4:
        count = rng.randint(1, len(large) - 1)
        large = sorted(large, key=lambda n: -sizes[n] * rng.uniform(0.3, 1))[:count]
    kept = np.where(np.isin(instances, large), instances, 0).astype(np.uint8)
    if rng.random() < 0.5:  # a hand rounds corners and leaves out what is small
        size = rng.choice((3, 5, 7))
        kept = np.asarray(Image.fromarray(kept).filter(ImageFilter.ModeFilter(size)))
    lines = outlines(kept)
    if stuff is not None and (not lines.any() or rng.random() < 0.5):
        around = np.asarray(Image.fromarray(stuff).filter(ImageFilter.ModeFilter(9)))
        lines = np.maximum(lines, outlines(np.where(kept, 0, around).astype(np.uint8)))
    return lines


def by_hand(lines: Pixels, rng: random.Random) -> Pixels:
    """Lines one pixel wide, as drawn by another hand and pen, perhaps mirrored or with gaps."""
    drawn = warped(thickened(lines, 3), rng) if rng.random() < 0.5 else lines
    drawn = thickened(drawn, rng.choice(PENS))
    if rng.random() < 0.3:
        drawn = drawn.copy()
        for _ in range(rng.randint(1, 4)):
            top, left = (rng.randrange(side) for side in drawn.shape)
            drawn[top : top + 40, left : left + 40] = 0
    return drawn


def drawing_input(drawn: Pixels) -> Pixels:
    """A drawing (S, S) as the model's input: uint8 (1, SIDE, SIDE)."""
    return square_edges(drawn, SIDE)


def read_lines(path: Path) -> Pixels:
    """The central square of a drawing in a file, in its own size: uint8 (S, S), 255 on a line."""
    with Image.open(path) as image:
        lines: Pixels = square_edges(image, min(image.size))[0]
    return lines
