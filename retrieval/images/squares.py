"""The squares of a wide or tall image that are embedded besides its central square.

Models see the central square of an image, which of a panorama is a third or less.
"""

from __future__ import annotations

import math

from PIL import Image

from indexes.records import Box

WIDE = 1.6
"""Ratio of the sides from which an image gets squares. Photos of 4:3 and 3:2, which are most, have
none, since each square takes as long as a photo itself (`python -m benchmarks.panoramas`)."""

STEP = 0.5
"""Distance of neighbouring squares at most, in sides of a square."""

MOST = 12
"""Squares of one image; beyond a ratio of 7:1 they are farther apart than `STEP`."""


def squares(width: int, height: int, wide: float = WIDE) -> list[Box]:
    """The boxes of the squares from left to right, or from top to bottom.

    There are as many on each side of the central square, which is not among them. The outermost
    ones touch the edges.

    Args:
        width, height: of the image as shown, in pixels.
        wide: ratio of the sides below which there are none.
    """
    short, long = sorted((width, height))
    if long < wide * short or long == short:
        return []
    free = 1 - short / long
    a_side = min(math.ceil((long - short) / (2 * STEP * short)), MOST // 2)
    places = [step / a_side for step in range(-a_side, a_side + 1) if step]
    starts = [free * (1 + place) / 2 for place in places]
    ends = [min(1.0, start + short / long) for start in starts]
    if width > height:
        return [(start, 0.0, end, 1.0) for start, end in zip(starts, ends, strict=True)]
    return [(0.0, start, 1.0, end) for start, end in zip(starts, ends, strict=True)]


def cut(image: Image.Image, box: Box) -> Image.Image:
    """One of the squares of an image, which may have been reduced."""
    width, height = image.size
    side = min(width, height)
    left = min(round(box[0] * width), width - side)
    top = min(round(box[1] * height), height - side)
    return image.crop((left, top, left + side, top + side))
