"""Buildings, furniture and other objects."""

import numpy as np

from demo.scenes.light import rgb
from demo.scenes.sprite import Point, Sprite

BRICKS = ("#a5583f", "#c9b79c", "#8f8a84", "#d6cfc2", "#7d6a5a", "#b08d6a", "#9aa4ab")


def house(
    rng: np.random.Generator, unit: float, *, lit: bool = False, snowy: bool = False
) -> Sprite:
    """A house with a gable roof, `unit` pixels wide."""
    home = Sprite(unit, (-0.58, -0.02, 0.58, 0.85), roundness=0.12)
    wall = rgb(str(rng.choice(["#e8dfcc", "#d9c39a", "#c9d2d6", "#b8604a", "#f0ece2", "#9fb0a0"])))
    roof = rgb("#eef2f8") if snowy else rgb(str(rng.choice(["#8a3f2d", "#55504d", "#6e4a35"])))
    home.block((-0.5, 0.0, 0.1, 0.4), wall)
    home.polygon([(0.1, 0.0), (0.5, 0.0), (0.5, 0.4), (0.3, 0.68), (0.1, 0.4)], wall * 0.82)
    for level in np.linspace(0.04, 0.38, 9):
        home.limb([(-0.5, float(level)), (0.1, float(level))], 0.003, wall * 0.9)
    home.polygon([(-0.56, 0.37), (0.14, 0.37), (0.32, 0.72), (-0.36, 0.72)], roof)
    for level in np.linspace(0.42, 0.68, 6):
        share = (float(level) - 0.37) / 0.35
        ends = [(-0.56 + 0.2 * share, float(level)), (0.14 + 0.18 * share, float(level))]
        home.limb(ends, 0.004, roof * 0.85)
    home.limb([(0.13, 0.37), (0.31, 0.71), (0.54, 0.37)], 0.028, roof * 0.75)
    home.block((-0.32, 0.68, -0.22, 0.82), "#7a4a3c")
    glass, shine = ("#ffd98a", "#c28f3c") if lit else ("#5b7488", "#000000")
    frame = "#f6f4ee"
    for x in (-0.42, -0.05):
        home.block((x - 0.065, 0.15, x + 0.065, 0.305), frame)
        home.block((x - 0.05, 0.165, x + 0.05, 0.29), glass, glow=shine)
        home.limb([(x, 0.165), (x, 0.29)], 0.007, frame)
        home.limb([(x - 0.05, 0.23), (x + 0.05, 0.23)], 0.007, frame)
    home.block((0.235, 0.16, 0.365, 0.31), frame)
    home.block((0.25, 0.175, 0.35, 0.295), glass, glow=shine)
    door = rgb(str(rng.choice(["#5a2f22", "#2d4a3c", "#33475c", "#8c2f2a"])))
    home.block((-0.3, 0.0, -0.165, 0.29), frame)
    home.block((-0.287, 0.0, -0.178, 0.275), door)
    home.oval((-0.195, 0.13), 0.007, 0.007, "#d6b25a")
    return home


def tower(rng: np.random.Generator, unit: float, tall: float, *, lit: bool = False) -> Sprite:
    """A city building: `unit` pixels wide, `tall` times as high, with a side in shadow."""
    block = Sprite(unit, (-0.5, -0.01, 0.8, tall + 0.06), roundness=0.0)
    wall = rgb(str(rng.choice(BRICKS)))
    block.block((-0.5, 0.0, 0.5, tall), wall)
    block.polygon([(0.5, 0.0), (0.76, 0.0), (0.76, tall - 0.05), (0.5, tall)], wall * 0.6)
    block.block((-0.52, tall - 0.03, 0.5, tall + 0.03), wall * 1.12)
    columns = int(rng.integers(4, 7))
    floors = max(3, round(tall * columns * 0.8))
    for floor in range(floors):
        low, high = tall * (floor + 0.32) / (floors + 0.5), tall * (floor + 0.86) / (floors + 0.5)
        for column in range(columns):
            left = -0.5 + (column + 0.22) / columns
            bright = lit and rng.random() < 0.45
            shade = rgb("#3d4f5e") * rng.uniform(0.75, 1.35)
            pane = rgb("#ffd88c") if bright else np.asarray(shade, np.float32)
            glow = "#b98a3e" if bright else "#000000"
            block.block((left, low, left + 0.56 / columns, high), pane, glow=glow)
        for slot in (0.56, 0.65):
            block.block((slot, low, slot + 0.05, high - 0.02), rgb("#2f3d49"))
    return block


def bench(unit: float) -> Sprite:
    """A park bench, `unit` pixels wide."""
    seat = Sprite(unit, (-0.55, -0.02, 0.55, 0.56), roundness=0.25)
    wood = rgb("#8a5a34")
    for x in (-0.4, 0.4):
        seat.limb([(x, 0.0), (x, 0.5)], 0.032, "#2d2e31")
        seat.limb([(x * 1.02, 0.0), (x * 1.02, 0.2)], 0.034, "#37393c")
        seat.limb([(x * 1.06, 0.2), (x * 1.06, 0.33), (x, 0.34)], 0.024, "#2d2e31")
    for level in (0.31, 0.385, 0.46):
        seat.block((-0.5, level, 0.5, level + 0.05), wood * (0.8 + 0.5 * level))
    for level, shade in ((0.215, 1.2), (0.175, 1.0)):
        seat.block((-0.52, level, 0.52, level + 0.034), wood * shade)
    return seat


def parasol(rng: np.random.Generator, unit: float, colour: str) -> Sprite:
    """A beach umbrella, `unit` pixels tall."""
    shade = Sprite(unit, (-0.65, -0.02, 0.65, 1.05), roundness=0.3)
    shade.limb([(0.02, 0.0), (0.0, 0.95)], 0.022, "#d8d2c4")
    edges = np.linspace(-0.6, 0.6, 8)
    bright, pale = rgb(colour), rgb("#f3efe4")
    for number in range(7):
        left, right = float(edges[number]), float(edges[number + 1])
        panel: list[Point] = [(0.0, 1.0)]
        for t in np.linspace(0.0, 1.0, 6):
            panel.append((right * np.sin(t * np.pi / 2), 1.0 - 0.38 * (1 - np.cos(t * np.pi / 2))))
        middle = (left + right) / 2
        panel.append((middle, 0.66))
        for t in np.linspace(1.0, 0.0, 6):
            panel.append((left * np.sin(t * np.pi / 2), 1.0 - 0.38 * (1 - np.cos(t * np.pi / 2))))
        hue = bright if number % 2 == 0 else pale
        shade.polygon(panel, hue * (1.05 - 0.28 * abs(number - 2.5) / 3.5))
    return shade


def kite(rng: np.random.Generator, unit: float, colour: str) -> Sprite:
    """A kite with its tail, `unit` pixels tall."""
    sail = Sprite(unit, (-0.6, -0.7, 0.6, 0.65), roundness=0.2)
    tail = [(0.0, -0.45)]
    for step in range(1, 7):
        tail.append((0.06 * np.sin(step * 1.6) + 0.05 * step, -0.45 - 0.04 * step))
    sail.limb(tail, 0.022, "#f2efe6")
    hue = rgb(colour)
    other = rgb(str(rng.choice(["#f2c53d", "#f4f1e6", "#2f6db5"])))
    sail.polygon([(0.0, 0.6), (-0.4, 0.15), (0.0, 0.15)], hue)
    sail.polygon([(0.0, 0.6), (0.4, 0.15), (0.0, 0.15)], other)
    sail.polygon([(0.0, -0.45), (-0.4, 0.15), (0.0, 0.15)], other * 0.88)
    sail.polygon([(0.0, -0.45), (0.4, 0.15), (0.0, 0.15)], hue * 0.88)
    return sail


def couch(unit: float, colour: str) -> Sprite:
    """A couch seen from the front, `unit` pixels wide."""
    seat = Sprite(unit, (-0.55, -0.03, 0.55, 0.48), roundness=0.7)
    cloth = rgb(colour)
    for x in (-0.42, 0.42):
        seat.block((x - 0.02, -0.02, x + 0.02, 0.06), "#3b2a1e")
    seat.curve([(-0.44, 0.1), (-0.43, 0.43), (0.0, 0.455), (0.43, 0.43), (0.44, 0.1)], cloth * 0.88)
    for x in (-0.2, 0.2):
        cushion: list[Point] = [
            (x - 0.19, 0.2), (x - 0.185, 0.39), (x, 0.405), (x + 0.185, 0.39), (x + 0.19, 0.2),
        ]  # fmt: skip
        seat.curve(cushion, cloth * 0.98)
        seat.limb([(x + 0.195, 0.2), (x + 0.195, 0.38)], 0.006, cloth * 0.6)
    seat.curve([(-0.42, 0.05), (-0.42, 0.2), (0.0, 0.225), (0.42, 0.2), (0.42, 0.05)], cloth * 1.1)
    seat.limb([(0.0, 0.06), (0.0, 0.21)], 0.007, cloth * 0.6)
    seat.limb([(-0.4, 0.115), (0.4, 0.115)], 0.006, cloth * 0.65)
    for side in (-1.0, 1.0):
        arm: list[Point] = [
            (side * 0.52, 0.03), (side * 0.53, 0.25), (side * 0.47, 0.3), (side * 0.41, 0.25),
            (side * 0.41, 0.03),
        ]  # fmt: skip
        seat.curve(arm, cloth * 1.02)
    return seat


def cushion(unit: float, colour: str) -> Sprite:
    """A cushion, `unit` pixels wide, to lie on a couch."""
    pad = Sprite(unit, (-0.55, -0.05, 0.55, 1.0), roundness=0.6)
    pad.curve([(-0.5, 0.05), (0.0, 0.0), (0.5, 0.05), (0.45, 0.5), (0.48, 0.92), (0.0, 0.88),
               (-0.48, 0.92), (-0.45, 0.5)], colour)  # fmt: skip
    return pad


def window(unit: float) -> Sprite:
    """A window with daylight behind it, `unit` pixels wide."""
    pane = Sprite(unit, (-0.55, -0.05, 0.55, 1.25), roundness=0.0)
    pane.block((-0.5, 0.0, 0.5, 1.2), "#f4f2ec")
    for step in range(16):
        low = 0.05 + 1.1 * step / 16
        share = step / 15
        sky = rgb("#d6e6f2") + (rgb("#8fb8e0") - rgb("#d6e6f2")) * share
        hue = rgb("#7c9a63") * (0.9 + 0.2 * share) if step < 4 else sky
        pane.block((-0.45, low, 0.45, low + 0.07), np.asarray(hue, np.float32))
    pane.block((-0.02, 0.0, 0.02, 1.2), "#f4f2ec")
    pane.block((-0.5, 0.58, 0.5, 0.62), "#f4f2ec")
    pane.block((-0.54, -0.04, 0.54, 0.02), "#e4e1d8")
    return pane


def boulder(rng: np.random.Generator, unit: float) -> Sprite:
    """A rock, `unit` pixels wide."""
    stone = Sprite(unit, (-0.58, -0.05, 0.58, 0.6), roundness=0.7)
    grey = rgb(str(rng.choice(["#7d7872", "#8c8172", "#6c6a6b"])))
    ring = np.linspace(0.0, np.pi, 8)
    crown = [(0.5 * np.cos(a), 0.46 * np.sin(a) * rng.uniform(0.75, 1.15)) for a in ring]
    stone.curve([*crown, (-0.45, -0.02), (0.45, -0.02)], grey)
    for _ in range(5):
        x, y = rng.uniform(-0.3, 0.25), rng.uniform(0.06, 0.3)
        facet = [(x, y), (x + rng.uniform(0.08, 0.2), y + 0.05), (x + 0.06, y - 0.1)]
        stone.polygon(facet, grey * rng.uniform(0.72, 1.12))
    return stone
