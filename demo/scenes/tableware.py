"""Fruit and dishes, seen close on a table."""

from dataclasses import dataclass

import numpy as np

from demo.scenes.canvas import Canvas
from demo.scenes.light import rgb
from demo.scenes.noise import field, smoothstep
from demo.scenes.sprite import Point, Sprite

CHINA = {"white": "#ecebe6", "blue": "#3c6a9c", "red": "#b23a30", "green": "#5f8f6a"}


@dataclass(frozen=True)
class Fruit:
    """The look of a round fruit."""

    skin: tuple[str, ...]
    blush: str
    pitted: float


APPLE = Fruit(("#b3221e", "#8fae3a", "#c23a26"), "#e0b040", 0.02)
ORANGE = Fruit(("#fa8c12", "#ff9a1f"), "#ffb347", 0.06)


def round_fruit(
    canvas: Canvas, fruit: Fruit, label: int, x: float, y: float, radius: float
) -> None:
    """A shaded ball that touches the table at pixel (x, y)."""
    rng = canvas.rng
    down = np.arange(canvas.height, dtype=np.float32)[:, None] - (y - radius)
    across = np.arange(canvas.width, dtype=np.float32)[None] - x
    _drop(canvas, x, y, radius)
    across, down = across / radius, down / (radius * 0.95)
    square = across**2 + down**2
    front = np.sqrt(np.clip(1.0 - square, 0.0, 1.0))
    side = -1.0 if canvas.light.from_left else 1.0
    facing = np.clip(0.55 * side * across - 0.62 * down + 0.56 * front, 0.0, 1.0)
    blotch = field(rng, canvas.labels.shape, 1.4, (0.5, 0.5))
    skin = rgb(str(rng.choice(fruit.skin)))
    share = smoothstep(0.3, 1.9, blotch + 0.4 * front)[..., None] * 0.5
    colours = skin + (rgb(fruit.blush) - skin) * share
    pits = 1.0 - fruit.pitted * np.clip(field(rng, canvas.labels.shape, 0.2), -1.5, 1.5)
    colours = colours * ((0.36 + 0.85 * facing) * pits)[..., None]
    shine = np.exp(-((across - 0.38 * side) ** 2 + (down + 0.45) ** 2) / 0.035)[..., None]
    coverage = np.clip((1.0 - np.sqrt(square)) * radius + 0.5, 0.0, 1.0)
    canvas.paint(label, np.asarray(np.clip(colours + 0.55 * shine, 0, 1), np.float32), coverage)
    if fruit is APPLE:
        stem = Sprite(radius, (-0.3, -0.25, 0.5, 0.55), roundness=0.0)
        stem.oval((0.0, -0.1), 0.2, 0.06, skin * 0.45)
        stem.limb([(0.0, -0.1), (0.03, 0.1), (0.1, 0.25)], 0.07, "#4a3320")
        stem.curve([(0.06, 0.1), (0.22, 0.26), (0.44, 0.24), (0.26, 0.1)], "#56803a")
        canvas.place(stem, x, y - radius * 1.72, label, shadow=0.0)


def _drop(canvas: Canvas, x: float, y: float, reach: float) -> None:
    """The soft shadow under something round."""
    shift = reach * (0.35 if canvas.light.from_left else -0.35)
    down = (np.arange(canvas.height, dtype=np.float32)[:, None] - y) / (reach * 0.3)
    across = (np.arange(canvas.width, dtype=np.float32)[None] - x - shift) / (reach * 1.15)
    canvas.colours *= (1.0 - 0.6 * np.exp(-(across**2 + down**2) * 1.2))[..., None]


def banana(rng: np.random.Generator, unit: float) -> Sprite:
    """Bananas in a bunch, `unit` pixels long."""
    bunch = Sprite(unit, (-0.6, -0.05, 0.6, 0.6), roundness=0.6)
    for number in range(3):
        rise, hue = 0.13 * number, rgb("#e5bd36") * (0.82 + 0.1 * number)
        shape: list[Point] = [
            (-0.5, 0.36 + rise * 0.5), (-0.3, 0.12 + rise), (0.0, 0.02 + rise),
            (0.3, 0.08 + rise), (0.5, 0.28 + rise * 0.6), (0.36, 0.24 + rise),
            (0.0, 0.17 + rise), (-0.3, 0.28 + rise),
        ]  # fmt: skip
        bunch.curve(shape, np.asarray(hue, np.float32))
        bunch.limb([(-0.3, 0.2 + rise), (0.0, 0.1 + rise), (0.32, 0.17 + rise)], 0.008, hue * 0.75)
        bunch.oval((0.5, 0.27 + rise * 0.6), 0.022, 0.022, "#4d3a1c")
    bunch.limb([(-0.5, 0.4), (-0.53, 0.5)], 0.06, "#8a7030")
    return bunch


def mug(unit: float, colour: str) -> Sprite:
    """A mug, `unit` pixels tall."""
    cup = Sprite(unit, (-0.55, -0.05, 0.85, 1.1), roundness=0.9)
    glaze = rgb(CHINA[colour])
    ring = np.linspace(-1.9, 1.9, 12)
    cup.limb([(0.45 + 0.24 * np.cos(a), 0.52 + 0.26 * np.sin(a)) for a in ring], 0.09, glaze * 0.85)
    cup.oval((0.0, 0.06), 0.4, 0.09, glaze * 0.9)
    cup.polygon([(-0.4, 0.06), (0.4, 0.06), (0.45, 0.95), (-0.45, 0.95)], glaze)
    cup.polygon([(0.12, 0.03), (0.4, 0.06), (0.45, 0.95), (0.2, 0.95)], glaze * 0.78)
    cup.polygon(
        [(-0.33, 0.1), (-0.25, 0.08), (-0.27, 0.9), (-0.36, 0.9)], np.minimum(glaze * 1.2, 1)
    )
    cup.oval((0.0, 0.95), 0.45, 0.1, np.minimum(glaze * 1.1, 1.0))
    cup.oval((0.0, 0.94), 0.39, 0.075, "#3b2314")
    return cup


def bowl(unit: float, colour: str) -> Sprite:
    """The outside of a bowl, `unit` pixels wide; fruit goes in first, behind it."""
    dish = Sprite(unit, (-0.55, -0.05, 0.55, 0.5), roundness=0.7)
    glaze = rgb(CHINA[colour])
    dish.oval((0.0, 0.02), 0.2, 0.035, glaze * 0.6)
    dish.curve([(-0.5, 0.38), (-0.36, 0.13), (-0.18, 0.02), (0.18, 0.02), (0.36, 0.13), (0.5, 0.38),
                (0.25, 0.31), (-0.25, 0.31)], glaze)  # fmt: skip
    dish.limb([(-0.49, 0.37), (-0.25, 0.315), (0.25, 0.315), (0.49, 0.37)], 0.02,
              np.minimum(glaze * 1.2, 1.0))  # fmt: skip
    return dish


def bottle(rng: np.random.Generator, unit: float) -> Sprite:
    """A wine bottle, `unit` pixels tall."""
    flask = Sprite(unit, (-0.22, -0.03, 0.22, 1.04), roundness=0.9)
    glass = rgb(str(rng.choice(["#23402a", "#4a2a1a", "#2f4b52"])))
    flask.oval((0.0, 0.03), 0.15, 0.03, glass * 0.8)
    flask.block((-0.15, 0.03, 0.15, 0.55), glass)
    flask.curve([(-0.15, 0.52), (-0.13, 0.64), (-0.05, 0.74), (0.05, 0.74), (0.13, 0.64),
                 (0.15, 0.52)], glass)  # fmt: skip
    flask.block((-0.05, 0.7, 0.05, 0.98), glass)
    flask.block((-0.055, 0.88, 0.055, 1.0), "#7a2a2a")
    flask.block((-0.15, 0.17, 0.15, 0.44), "#e6dcc2")
    flask.block((-0.11, 0.31, 0.11, 0.36), "#8a3a32")
    flask.block((-0.09, 0.22, 0.09, 0.24), "#6b6250")
    flask.polygon([(-0.12, 0.06), (-0.095, 0.06), (-0.095, 0.56), (-0.12, 0.56)], glass * 1.9)
    return flask
