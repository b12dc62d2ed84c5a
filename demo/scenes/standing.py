"""Placing objects on the ground, scaled by their distance."""

from typing import Final, Literal

import numpy as np

from demo.scenes import creatures, labels, plants
from demo.scenes.canvas import Canvas

Growth = Literal["broadleaf", "conifer", "autumn", "snowy"]
BRIGHT: Final = {"red": "#c8322b", "blue": "#2b62b0", "yellow": "#e9b92c", "green": "#2f8a57"}


def row_at(canvas: Canvas, share: float) -> float:
    """The row at a share of the way from the horizon (0) to the lower edge (1)."""
    return canvas.horizon + share * (canvas.height - canvas.horizon)


def stand_tree(canvas: Canvas, x: float, share: float, metres: float, kind: Growth) -> None:
    """A tree so many metres tall, at a share of the width and of the way to the horizon."""
    row, rng = row_at(canvas, share), canvas.rng
    unit = metres * canvas.metre(row)
    if kind in ("broadleaf", "autumn"):
        sprite = plants.broadleaf(rng, unit, autumn=kind == "autumn")
    else:
        sprite = plants.conifer(rng, unit, snowy=kind == "snowy")
    canvas.place(sprite, x * canvas.width, row, labels.TREE, haze=0.2 * (1.0 - share))


def stand_trees(
    canvas: Canvas, count: int, kind: Growth, *, far: float = 0.08, near: float = 0.3
) -> None:
    """Trees on both sides, the furthest first, leaving the middle open."""
    rng = canvas.rng
    for share in np.sort(rng.uniform(far, near, count)):
        side = rng.uniform(0.0, 0.3) if rng.random() < 0.5 else rng.uniform(0.7, 1.0)
        stand_tree(canvas, float(side), float(share), float(rng.uniform(5.0, 8.0)), kind)


def stand_person(canvas: Canvas, x: float, share: float, pose: creatures.Pose = "standing") -> None:
    """A grown person at a share of the width and of the way to the horizon."""
    row = row_at(canvas, share)
    sprite = creatures.person(canvas.rng, 1.72 * canvas.metre(row), pose)
    canvas.place(sprite, x * canvas.width, row, labels.PERSON)
