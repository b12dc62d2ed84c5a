"""Edges of photos for training: exact, and as if drawn by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fourm.modalities.edges import canny_edges, square_edges

SIDE = 112
USUAL, STRONG, WEAK = (100, 200), (140, 280), (50, 130)
"""Canny's thresholds: those of 4M-21, strong outlines alone, and much texture."""

OUTLINE, OUTLINE_BLUR = (60, 150), 2.5
"""Thresholds of the main lines of a smoothed photo, and its smoothing in pixels."""

Pixels = NDArray[np.uint8]


def _canny(photo: Pixels, thresholds: tuple[int, int] = USUAL) -> Pixels:
    low, high = thresholds
    drawn: Pixels = canny_edges(photo, low=low, high=high)[0]
    return drawn


def _exact(photo: Pixels, rng: random.Random) -> Pixels:
    return _canny(photo)


def _mirrored(photo: Pixels, rng: random.Random) -> Pixels:
    return mirrored(_canny(photo))


def _thick(photo: Pixels, rng: random.Random) -> Pixels:
    return thickened(_canny(photo), 3)


def _dense(photo: Pixels, rng: random.Random) -> Pixels:
    return thickened(mirrored(_canny(photo, WEAK)), 3)


def _gappy(photo: Pixels, rng: random.Random) -> Pixels:
    drawn = _canny(photo, STRONG)
    for _ in range(6):
        top, left = rng.randrange(drawn.shape[0]), rng.randrange(drawn.shape[1])
        drawn[top : top + 40, left : left + 40] = 0
    return np.roll(drawn, (rng.randint(-8, 8), rng.randint(-8, 8)), (0, 1))


def _by_hand(photo: Pixels, rng: random.Random) -> Pixels:
    return thickened(warped(_canny(photo, STRONG), rng), rng.choice((3, 5)))


def _cropped(photo: Pixels, rng: random.Random) -> Pixels:
    side = photo.shape[0]
    part = int(side * rng.uniform(0.75, 1))
    left, top = rng.randint(0, side - part), rng.randint(0, side - part)
    box = (left, top, left + part, top + part)
    crop = Image.fromarray(photo).resize((side, side), Image.Resampling.BICUBIC, box)
    low = rng.randint(60, 140)
    drawn = _canny(np.asarray(crop), (low, 2 * low))
    return mirrored(drawn) if rng.random() < 0.5 else drawn


VERSIONS: Mapping[str, Callable[[Pixels, random.Random], Pixels]] = {
    "exact": _exact,
    "mirrored": _mirrored,
    "thick": _thick,
    "thick, mirrored, with texture": _dense,
    "strong lines, gappy, moved": _gappy,
    "by an unsteady hand": _by_hand,
    "cropped": _cropped,
}
"""Ways to draw the edges of a photo. The names seed the random numbers of training."""


def draw_edges(photo: Pixels, version: str, rng: random.Random) -> Pixels:
    """Edges of a photo (S, S, 3) uint8 in one of VERSIONS: uint8 (S, S), 255 on an edge."""
    return VERSIONS[version](np.ascontiguousarray(photo), rng)


def edge_input(photo: Pixels, version: str, rng: random.Random) -> Pixels:
    """The same as the model's input: uint8 (1, SIDE, SIDE)."""
    return square_edges(draw_edges(photo, version, rng), SIDE)


def outlines(photo: Pixels) -> Pixels:
    """The main lines of a photo (S, S, 3) uint8, without texture: uint8 (1, SIDE, SIDE).

    They are what a model can predict of edges, and what a drawing shows.
    """
    smooth = Image.fromarray(photo).filter(ImageFilter.GaussianBlur(OUTLINE_BLUR))
    return square_edges(thickened(_canny(np.asarray(smooth), OUTLINE), 3), SIDE)


def mirrored(drawn: Pixels) -> Pixels:
    """The mirror image of (S, S) uint8."""
    return np.ascontiguousarray(drawn[:, ::-1])


def thickened(drawn: Pixels, pen: int) -> Pixels:
    """Lines drawn with a wider pen; its width is odd."""
    return np.asarray(Image.fromarray(drawn).filter(ImageFilter.MaxFilter(pen)))


def warped(drawn: Pixels, rng: random.Random) -> Pixels:
    """Each point moved by a few pixels, smoothly over the drawing."""
    side, knots = drawn.shape[0], rng.randint(4, 6)
    noise = np.random.default_rng(rng.randrange(1 << 30)).normal(0, 3, (2, knots, knots))
    smooth = [
        np.asarray(Image.fromarray(n).resize((side, side), Image.Resampling.BICUBIC))
        for n in noise.astype(np.float32)
    ]
    rows, columns = (
        np.rint(position + moved).astype(np.int64).clip(0, side - 1)
        for position, moved in zip(np.mgrid[:side, :side], smooth, strict=True)
    )
    moved_lines: Pixels = drawn[rows, columns]
    return moved_lines
