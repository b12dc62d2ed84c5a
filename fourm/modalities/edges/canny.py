"""Canny edges of a photo, for edge queries that start from one.

4M-21's training took OpenCV's Canny of the RGB image; the thresholds are not published. These are
the customary ones, on the gradients of the strongest channel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.errors import BadInput
from fourm.modalities.pixels import square_pixels

LOW, HIGH = 100, 200
_TAN_22 = np.tan(np.pi / 8)
_TAN_67 = np.tan(3 * np.pi / 8)


def canny_edges(image: Any, size: int = 224, low: int = LOW, high: int = HIGH) -> NDArray[np.uint8]:
    """Edges of the central square of a photo: uint8 (1, size, size), 255 on an edge, else 0.

    Args:
        image: a PIL image, or a uint8 array (H, W, 3).
        size: side of the result, in pixels.
        low: gradients (sum of both directions, up to 2040) below this are no edge.
        high: an edge has at least one gradient above this.

    Raises:
        BadInput: not an image, or thresholds the wrong way round.
    """
    if not 0 <= low <= high:
        raise BadInput(f"thresholds must be 0 <= low <= high, got {low} and {high}")
    across, down = _gradients(square_pixels(image, size).astype(np.int32))
    strength = np.abs(across) + np.abs(down)
    candidates = _ridges(across, down, strength) & (strength > low)
    edges = _connected(candidates & (strength > high), candidates)
    lines: NDArray[np.uint8] = edges * np.uint8(255)
    return lines[None]


def _gradients(pixels: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Sobel, left to right and top to bottom, of each pixel's strongest channel: (H, W) both."""
    padded = np.pad(pixels, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    columns = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    across = rows[:, :, 2:] - rows[:, :, :-2]
    down = columns[:, 2:] - columns[:, :-2]
    strongest = (np.abs(across) + np.abs(down)).argmax(axis=0)[None]
    return (
        np.take_along_axis(across, strongest, 0)[0],
        np.take_along_axis(down, strongest, 0)[0],
    )


def _ridges(
    across: NDArray[np.int32], down: NDArray[np.int32], strength: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Where the gradient is larger than at both neighbours that it points from and to."""
    padded = np.pad(strength, 1)

    def shifted(dy: int, dx: int) -> NDArray[np.int32]:
        height, width = strength.shape
        return padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    x, y = np.abs(across), np.abs(down)
    # One side strictly: of two equal neighbours one remains.
    flat = (strength > shifted(0, -1)) & (strength >= shifted(0, 1))
    steep = (strength > shifted(-1, 0)) & (strength >= shifted(1, 0))
    falling = (strength > shifted(-1, -1)) & (strength > shifted(1, 1))
    rising = (strength > shifted(-1, 1)) & (strength > shifted(1, -1))
    diagonal = np.where((across < 0) == (down < 0), falling, rising)
    return np.where(y < x * _TAN_22, flat, np.where(y > x * _TAN_67, steep, diagonal))


def _connected(seeds: NDArray[np.bool_], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All allowed pixels that a chain of allowed neighbours links with a seed."""
    reached = seeds
    while True:
        padded = np.pad(reached, 1)
        rows = padded[:-2] | padded[1:-1] | padded[2:]
        grown = (rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]) & allowed
        if (grown == reached).all():
            return reached
        reached = grown
