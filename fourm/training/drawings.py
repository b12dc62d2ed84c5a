"""Edges of a photo as stage `further` learns from them: exact, and such as a hand might draw."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fourm.modalities.edges import canny_edges, square_edges

SIDE = 112
USUAL, FEW_LINES, MANY_LINES = (100, 200), (140, 280), (50, 130)
"""Canny's thresholds: as in 4M-21, of strong outlines alone, and of much texture."""

Pixels = NDArray[np.uint8]


def _lines(photo: Pixels, thresholds: tuple[int, int] = USUAL) -> Pixels:
    low, high = thresholds
    drawn: Pixels = canny_edges(photo, low=low, high=high)[0]
    return drawn


def _exact(photo: Pixels, rng: random.Random) -> Pixels:
    return _lines(photo)


def _mirrored(photo: Pixels, rng: random.Random) -> Pixels:
    return _flipped(_lines(photo))


def _thick(photo: Pixels, rng: random.Random) -> Pixels:
    return _thickened(_lines(photo), 3)


def _dense(photo: Pixels, rng: random.Random) -> Pixels:
    return _thickened(_flipped(_lines(photo, MANY_LINES)), 3)


def _gappy(photo: Pixels, rng: random.Random) -> Pixels:
    drawn = _lines(photo, FEW_LINES)
    for _ in range(6):
        top, left = rng.randrange(drawn.shape[0]), rng.randrange(drawn.shape[1])
        drawn[top : top + 40, left : left + 40] = 0
    return np.roll(drawn, (rng.randint(-8, 8), rng.randint(-8, 8)), (0, 1))


def _by_hand(photo: Pixels, rng: random.Random) -> Pixels:
    drawn = _wobbly(_lines(photo, FEW_LINES), rng)
    return _thickened(drawn, rng.choice((3, 5)))


def _cropped(photo: Pixels, rng: random.Random) -> Pixels:
    side = photo.shape[0]
    part = int(side * rng.uniform(0.75, 1))
    left, top = rng.randint(0, side - part), rng.randint(0, side - part)
    box = (left, top, left + part, top + part)
    cut = Image.fromarray(photo).resize((side, side), Image.Resampling.BICUBIC, box)
    low = rng.randint(60, 140)
    drawn = _lines(np.asarray(cut), (low, 2 * low))
    return _flipped(drawn) if rng.random() < 0.5 else drawn


VERSIONS: Mapping[str, Callable[[Pixels, random.Random], Pixels]] = {
    "exact": _exact,
    "mirrored": _mirrored,
    "thick": _thick,
    "thick, mirrored, with texture": _dense,
    "strong lines, gappy, moved": _gappy,
    "by an unsteady hand": _by_hand,
    "cropped": _cropped,
}


def drawing(photo: Pixels, version: str, rng: random.Random) -> Pixels:
    """Edges of a square photo (S, S, 3) uint8, in one of VERSIONS: uint8 (S, S), 255 on a line."""
    return VERSIONS[version](np.ascontiguousarray(photo), rng)


def edges(pixels: Pixels, version: str, rng: random.Random) -> Pixels:
    """A drawing of a photo (3, S, S) uint8 as the model reads it: uint8 (1, SIDE, SIDE)."""
    return square_edges(drawing(pixels.transpose(1, 2, 0), version, rng), SIDE)


def _flipped(drawn: Pixels) -> Pixels:
    return np.ascontiguousarray(drawn[:, ::-1])


def _thickened(drawn: Pixels, pen: int) -> Pixels:
    return np.asarray(Image.fromarray(drawn).filter(ImageFilter.MaxFilter(pen)))


def _wobbly(drawn: Pixels, rng: random.Random) -> Pixels:
    """Every point moved by a few pixels, those beside each other alike."""
    side, knots = drawn.shape[0], rng.randint(4, 6)
    noise = np.random.default_rng(rng.randrange(1 << 30)).normal(0, 3, (2, knots, knots))
    smooth = [
        np.asarray(Image.fromarray(n).resize((side, side), Image.Resampling.BICUBIC))
        for n in noise.astype(np.float32)
    ]
    rows, columns = (
        np.rint(place + moved).astype(np.int64).clip(0, side - 1)
        for place, moved in zip(np.mgrid[:side, :side], smooth, strict=True)
    )
    moved: Pixels = drawn[rows, columns]
    return moved
