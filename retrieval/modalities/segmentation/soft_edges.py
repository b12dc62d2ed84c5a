"""Drawings with soft edges: antialiased strokes, JPEG screenshots.

The colours that fill small blocks are the classes of a drawing. Every other pixel takes one of the
classes beside it, so that a blend of two colours never becomes a third class.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from retrieval.modalities.segmentation.formats import ENOUGH, Colour

CLOSE = 28.0
"""Distance in RGB up to which a colour counts as that of a class."""

_FILLED = 0.6
_NONE = -1
_MOST_CLASSES = 40


def nearest_colours(
    pixels: NDArray[np.uint8], colours: Collection[Colour], block: int
) -> tuple[NDArray[np.uint8], list[tuple[Colour, int]]] | None:
    """Pixels (H, W, 3) in nothing but the colours of classes, and the colours that were far.

    Args:
        pixels: of a drawing.
        colours: of the classes.
        block: side of the smallest block that a class has to fill, in pixels.

    Returns:
        The pixels, and (colour, pixel count) of those that are neither of a class nor a blend of
        two, the most frequent first. None: fewer than 95 % of the pixels fit.
    """
    height, width = pixels.shape[:2]
    if height < block or width < block:
        return None
    palette = np.array(sorted(colours), np.float32)
    packed = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    found, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    where = where.reshape(height, width)
    values = np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.float32)
    nearest, distance = _nearest(values, palette)
    close = np.where(distance <= CLOSE, nearest, _NONE)[where]
    filled = np.where(_in_blocks(close, block), close, _NONE)
    classes = np.unique(filled[filled != _NONE])
    if not 0 < len(classes) <= _MOST_CLASSES or (filled != _NONE).mean() < _FILLED:
        return None
    fits = (_nearest(values, palette[classes])[1] <= CLOSE) | _blended(values, palette[classes])
    if counts[fits].sum() < ENOUGH * counts.sum():
        return None
    _grow(filled, pixels, palette)
    far = [
        ((int(value) >> 16, int(value) >> 8 & 255, int(value) & 255), int(count))
        for value, count in zip(found[~fits], counts[~fits], strict=True)
    ]
    return palette[filled].astype(np.uint8), sorted(far, key=lambda pair: -pair[1])


def _nearest(
    values: NDArray[np.float32], palette: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Index and distance of the nearest colour of the palette (K, 3) to each value (N, 3)."""
    best = np.zeros(len(values), np.intp)
    least = np.full(len(values), np.inf, np.float32)
    for index, colour in enumerate(palette):
        distance = np.sqrt(((values - colour) ** 2).sum(axis=1))
        nearer = distance < least
        best[nearer], least[nearer] = index, distance[nearer]
    return best, least


def _blended(values: NDArray[np.float32], palette: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each value lies between two colours; filters overshoot a little."""
    result = np.zeros(len(values), bool)
    for first in range(len(palette)):
        for second in range(first + 1, len(palette)):
            line = palette[second] - palette[first]
            along = np.clip((values - palette[first]) @ line / (line @ line), -0.2, 1.2)
            off = values - palette[first] - along[:, None] * line
            result |= (off**2).sum(axis=1) <= CLOSE**2
    return result


def _in_blocks(labels: NDArray[np.intp], block: int) -> NDArray[np.bool_]:
    """Whether each pixel lies in a block of one label."""
    height, width = labels.shape
    starts = np.ones((height - block + 1, width - block + 1), bool)
    for down in range(block):
        for across in range(block):
            part = labels[down : down + starts.shape[0], across : across + starts.shape[1]]
            starts &= part == labels[: starts.shape[0], : starts.shape[1]]
    inside = np.zeros((height, width), bool)
    for down in range(block):
        for across in range(block):
            inside[down : down + starts.shape[0], across : across + starts.shape[1]] |= starts
    inside &= labels != _NONE
    return inside


def _grow(
    labels: NDArray[np.intp], pixels: NDArray[np.uint8], palette: NDArray[np.float32]
) -> None:
    """Give each pixel without a label one of a neighbour, that of the nearest colour; in place."""
    height, width = labels.shape
    rows, columns = np.nonzero(labels == _NONE)
    while len(rows):
        best = np.full(len(rows), _NONE, np.intp)
        least = np.full(len(rows), np.inf, np.float32)
        own = pixels[rows, columns].astype(np.float32)
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                there = labels[
                    np.clip(rows + down, 0, height - 1), np.clip(columns + across, 0, width - 1)
                ]
                distance = ((own - palette[there]) ** 2).sum(axis=1)
                nearer = (there != _NONE) & (distance < least)
                best[nearer], least[nearer] = there[nearer], distance[nearer]
        labels[rows, columns] = best
        left = best == _NONE
        rows, columns = rows[left], columns[left]
