"""Masks of objects, before their outlines are tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.checks import as_array, finite_numbers
from fourm.errors import BadInput
from fourm.modalities.pixels import square_box
from fourm.modalities.sam.text import MASK_SIDE, SAM_SIDE, Point, SamInstance, mask_to_box


@dataclass(frozen=True, eq=False)
class Mask:
    """One object of an image.

    Attributes:
        pixels: (H, W), not zero where the object is.
        point: x, y of a pixel of it, in pixels of the image; None: one near its centre.
    """

    pixels: NDArray[Any]
    point: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Outlines:
    """Objects of the square image, 224 x 224.

    Attributes:
        positions: (N, 2) int, x and y of a pixel of each object.
        boxes: (N, 4) int, xmin, ymin, xmax, ymax.
        parts: (N, 64, 64) uint8, each mask inside its box, 0 or 1.
        inside: (N, N) bool, [i, j] where object j contains the pixel of object i.
    """

    positions: NDArray[np.int64]
    boxes: NDArray[np.int64]
    parts: NDArray[np.uint8]
    inside: NDArray[np.bool_]

    def points(self, codes: Sequence[Sequence[int]]) -> list[Point]:
        """The points, each with all objects that contain it; an object's codes are given."""
        instances = [
            SamInstance(xmin, ymin, xmax, ymax, tuple(code))
            for (xmin, ymin, xmax, ymax), code in zip(self.boxes.tolist(), codes, strict=True)
        ]
        return [
            Point(int(x), int(y), tuple(instances[j] for j in np.flatnonzero(row)))
            for (x, y), row in zip(self.positions, self.inside, strict=True)
        ]


def square_outlines(masks: Sequence[Mask]) -> Outlines:
    """Masks of an image -> outlines in its central square; those outside it are left out.

    Raises:
        BadInput: no mask, sizes that differ, a point outside its object, or nothing in the square.
    """
    if (
        not isinstance(masks, (list, tuple))
        or not masks
        or not all(isinstance(mask, Mask) for mask in masks)
    ):
        raise BadInput("expected a list of at least one Mask")
    arrays = [_pixels(mask, number) for number, mask in enumerate(masks, start=1)]
    shape = arrays[0].shape
    squares, positions = [], []
    for number, (mask, pixels) in enumerate(zip(masks, arrays, strict=True), start=1):
        if pixels.ndim != 2 or pixels.shape != shape or 0 in pixels.shape:
            raise BadInput(f"mask {number} has the shape {pixels.shape}, the first one {shape}")
        square = square_mask(pixels)
        if not square.any():
            continue
        squares.append(square)
        wanted = None
        if mask.point is not None:
            point = finite_numbers(mask.point, f"the point of mask {number}", 2)
            x, y = square_point((point[0], point[1]), (shape[1], shape[0]))
            # A point that the square cuts off is replaced by one of what is left of the object.
            wanted = (
                None if max(abs(x - SAM_SIDE / 2), abs(y - SAM_SIDE / 2)) > SAM_SIDE / 2 else (x, y)
            )
        positions.append(_position(square, wanted, number))
    if not squares:
        raise BadInput("no mask shows anything within the central square of the image")
    found = [mask_to_box(square) for square in squares]
    inside = np.array([[square[y, x] for square in squares] for x, y in positions], np.bool_)
    return Outlines(
        np.array(positions, np.int64),
        np.array([box for box, _ in found], np.int64),
        np.array([part for _, part in found], np.uint8).reshape(-1, MASK_SIDE, MASK_SIDE),
        inside,
    )


def square_mask(pixels: NDArray[Any]) -> NDArray[np.bool_]:
    """A mask (H, W) in the central square: (224, 224) bool, by nearest neighbour."""
    left, top, right, bottom = square_box(pixels.shape[1], pixels.shape[0])
    part = Image.fromarray((pixels[top:bottom, left:right] != 0).astype(np.uint8))
    square: NDArray[np.bool_] = (
        np.array(part.resize((SAM_SIDE, SAM_SIDE), Image.Resampling.NEAREST)) != 0
    )
    return square


def square_point(point: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
    """A pixel (x, y) of an image of this width and height, in its square of 224 x 224."""
    left, top, right, _ = square_box(*size)
    scale = SAM_SIDE / (right - left)
    return (point[0] - left) * scale, (point[1] - top) * scale


def _pixels(mask: Mask, number: int) -> NDArray[np.bool_]:
    array = as_array(mask.pixels, f"mask {number}")
    if array.dtype.kind not in "buif":
        raise BadInput(f"mask {number} must be an array of numbers, got {array.dtype}")
    inside: NDArray[np.bool_] = array != 0
    return inside


def _position(
    square: NDArray[np.bool_], wanted: tuple[float, float] | None, number: int
) -> tuple[int, int]:
    """The pixel of an object that is nearest to the wanted one, or to the object's centre."""
    rows, columns = np.nonzero(square)
    if wanted is None:
        x, y = float(columns.mean()), float(rows.mean())
    else:
        x, y = wanted
    nearest = int(np.argmin((columns - x) ** 2 + (rows - y) ** 2))
    if wanted is not None and (columns[nearest] - x) ** 2 + (rows[nearest] - y) ** 2 > 8:
        raise BadInput(f"the point of mask {number} does not lie in it")
    return int(columns[nearest]), int(rows[nearest])
