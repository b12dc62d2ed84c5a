"""By which whole factor an image is reduced before models resize it, and when it is not.

A JPEG is reduced by its decoder, other images by the mean of blocks if their colours are converted
or they are transparent: that saves half of the time and more. It is nearly exact as long as the
edges of the central square, which models take, lie between blocks; where they do not, the square is
off by a part of a pixel, which shows. `python -m benchmarks.reducing` measures both.
"""

from __future__ import annotations

SHORT_SIDE = 448
"""The short side stays at least this long: twice the 224 pixels of the models' inputs, so that one
antialiased resize is left to them."""

GIANT_PIXELS = 24_000_000
"""Larger images are reduced in any case, for the memory."""

_FACTORS = (8, 4, 2)


def reduction(width: int, height: int) -> int:
    """The factor for an image of that size: 8, 4 or 2, or 1 for none."""
    short, long = sorted((width, height))
    possible = [factor for factor in _FACTORS if short // factor >= SHORT_SIDE]
    for factor in possible:
        aligned = short % factor == 0 and (long - short) % (2 * factor) == 0
        if aligned and width * height <= GIANT_PIXELS * factor**2:
            return factor
    return possible[0] if possible and width * height > GIANT_PIXELS else 1
