"""Trees, bushes and flowers."""

from itertools import pairwise

import numpy as np

from demo.scenes.light import rgb
from demo.scenes.sprite import Sprite

LEAVES = ("#3f6b2c", "#4d7a33", "#5b8238", "#35602f", "#6b8a3a")
AUTUMN = ("#b5651d", "#c98a2b", "#a8452a", "#d0a03a")


def broadleaf(rng: np.random.Generator, unit: float, *, autumn: bool = False) -> Sprite:
    """A leafy tree; `unit` pixels tall."""
    tree = Sprite(unit, (-0.5, -0.02, 0.5, 1.05), roundness=0.15)
    bark = rgb(str(rng.choice(["#5b4632", "#6a5440", "#4d3d2e"])))
    tree.polygon([(-0.045, -0.01), (0.05, -0.01), (0.028, 0.5), (-0.024, 0.5)], bark)
    for side in (-1.0, 1.0):
        tip = (side * rng.uniform(0.12, 0.22), rng.uniform(0.5, 0.62))
        tree.limb([(0.0, 0.3), tip], 0.025, bark * 0.9)
    green = rgb(str(rng.choice(AUTUMN if autumn else LEAVES)))
    leaves = int(np.clip(unit * 0.55, 18, 130))
    leaf = 0.024 * (34.0 / leaves) ** 0.4
    middles = [(rng.uniform(-0.22, 0.22), rng.uniform(0.48, 0.82), 0.17) for _ in range(7)]
    middles.append((0.0, 0.66, 0.27))
    clumps = []
    for x, y, radius in middles:
        for _ in range(leaves):
            angle, far = rng.uniform(0.0, 2 * np.pi), radius * np.sqrt(rng.random())
            clumps.append((x + far * np.cos(angle), y + far * np.sin(angle) * 0.85))
    # Dark leaves first, so that lit ones are on top.
    clumps.sort(key=lambda c: c[1] - 0.35 * c[0] + rng.normal(0.0, 0.14))
    for order, (x, y) in enumerate(clumps):
        lit = 0.45 + 0.75 * order / len(clumps) + rng.normal(0.0, 0.08)
        size = leaf * rng.uniform(0.6, 1.5)
        hue = green * lit * (1.0 + rng.normal(0.0, 0.04, 3))
        tree.oval((x, y), size * 1.15, size, np.asarray(hue, np.float32))
    return tree


def conifer(rng: np.random.Generator, unit: float, *, snowy: bool = False) -> Sprite:
    """A fir, `unit` pixels tall."""
    fir = Sprite(unit, (-0.32, -0.02, 0.32, 1.03), roundness=0.12)
    fir.polygon([(-0.02, -0.01), (0.02, -0.01), (0.012, 0.3), (-0.012, 0.3)], "#4a3a2c")
    green = rgb(str(rng.choice(["#26452d", "#2f5036", "#34533a", "#21402f"])))
    tiers = int(np.clip(unit / 9.0, 12, 34))
    branches = int(np.clip(8.0 + unit / 14.0, 10, 34))
    half = 0.028 * (12.0 / branches) ** 0.5
    for tier in range(tiers):
        y = 0.09 + 0.88 * tier / tiers
        reach = 0.29 * (1.0 - y) ** 0.85 + 0.015
        for _ in range(branches):
            x = rng.uniform(-1.0, 1.0)
            tip = (x * reach, y - 0.035 - 0.05 * abs(x) * rng.uniform(0.6, 1.3))
            lit = (0.7 + 0.45 * rng.random()) * (0.8 + 0.35 * y)
            hue = np.asarray(green * lit, np.float32)
            root = (tip[0] * 0.3, y + 0.065)
            fir.polygon([root, (tip[0] - half, tip[1]), (tip[0] + half, tip[1])], hue)
            if snowy and rng.random() < 0.42:
                fir.oval((tip[0] * 0.85, tip[1] + 0.02), 0.026, 0.011, "#eef3fb")
    fir.polygon([(-0.015, 0.93), (0.015, 0.93), (0.0, 1.0)], green)
    return fir


def palm(rng: np.random.Generator, unit: float) -> Sprite:
    """A palm tree, `unit` pixels tall."""
    tree = Sprite(unit, (-0.45, -0.02, 0.5, 1.1), roundness=0.2)
    lean = float(rng.uniform(-0.12, 0.12))
    trunk = [(lean * t * t, 0.82 * t) for t in np.linspace(0.0, 1.0, 9)]
    tree.limb(trunk, 0.036, "#8a6f50")
    for x, y in trunk[1:]:
        tree.limb([(x - 0.016, y), (x + 0.016, y + 0.004)], 0.006, "#6b543b")
    top = (lean, 0.83)
    for angle in np.linspace(-0.5, np.pi + 0.5, 11) + rng.normal(0.0, 0.08, 11):
        rib = []
        for t in np.linspace(0.0, 1.0, 9):
            drop = 0.30 * t * t * (1.15 - 0.5 * np.sin(angle))
            rib.append((top[0] + 0.4 * t * np.cos(angle), top[1] + 0.26 * t * np.sin(angle) - drop))
        lit = rng.uniform(0.75, 1.15)
        for (x0, y0), (x1, y1) in pairwise(rib):
            hue = np.asarray(rgb("#4f7d34") * lit, np.float32)
            tree.limb([(x0, y0), (x1, y1)], 0.010, hue * 0.85)
            for _ in range(3):
                t = rng.random()
                x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
                tree.limb([(x, y), (x + 0.03 * np.cos(angle), y - 0.06)], 0.007, hue)
    return tree


def bush(rng: np.random.Generator, unit: float) -> Sprite:
    """A round bush, `unit` pixels tall."""
    shrub = Sprite(unit, (-0.85, -0.05, 0.85, 1.05), roundness=0.15)
    green = rgb(str(rng.choice(LEAVES)))
    for order in range(150):
        angle, far = rng.uniform(0.0, np.pi), np.sqrt(rng.random())
        x, y = 0.7 * far * np.cos(angle), 0.85 * far * np.sin(angle)
        lit = 0.5 + 0.6 * order / 150 + 0.15 * y
        shrub.oval((x, y), 0.08, 0.07, np.asarray(green * lit, np.float32))
    return shrub


def flower(rng: np.random.Generator, unit: float, colour: str) -> Sprite:
    """One flower on its stem, `unit` pixels tall."""
    bloom = Sprite(unit, (-0.45, -0.02, 0.45, 1.25), roundness=0.25)
    lean = float(rng.normal(0.0, 0.08))
    bloom.limb([(0.0, 0.0), (lean * 0.4, 0.4), (lean, 0.85)], 0.035, "#4c7a33")
    bloom.curve([(0.0, 0.2), (0.2, 0.42), (0.26, 0.58), (0.07, 0.42)], "#558a38")
    bloom.curve([(0.0, 0.12), (-0.2, 0.3), (-0.26, 0.48), (-0.07, 0.32)], "#4c7d33")
    petals = int(rng.integers(6, 9))
    tilt = rng.uniform(0.6, 1.0)
    base = rgb(colour)
    for petal in range(petals):
        angle = 2 * np.pi * petal / petals + lean
        centre = (lean + 0.17 * np.cos(angle), 0.9 + 0.17 * tilt * np.sin(angle))
        lit = 0.85 + 0.2 * np.sin(angle) + rng.normal(0.0, 0.04)
        bloom.oval(centre, 0.125, 0.125 * tilt, np.asarray(base * lit, np.float32))
    heart = "#e8b62d" if colour != "#f0c93a" else "#7a4a1e"
    bloom.oval((lean, 0.9), 0.09, 0.09 * tilt, heart)
    return bloom


def potted(rng: np.random.Generator, unit: float) -> Sprite:
    """A house plant in its pot, `unit` pixels tall."""
    plant = Sprite(unit, (-0.5, -0.02, 0.5, 1.05), roundness=0.3)
    green = rgb(str(rng.choice(LEAVES)))
    for angle in np.linspace(0.25, np.pi - 0.25, 13) + rng.normal(0.0, 0.1, 13):
        length = rng.uniform(0.5, 0.68)
        tip = (length * 0.75 * np.cos(angle), 0.3 + length * np.sin(angle))
        bend = (0.45 * tip[0] - 0.05, 0.3 + 0.62 * (tip[1] - 0.3))
        other = (0.55 * tip[0] + 0.06, 0.3 + 0.5 * (tip[1] - 0.3))
        hue = green * rng.uniform(0.65, 1.2)
        plant.curve([(0.0, 0.3), bend, tip, other], np.asarray(hue, np.float32))
    pot = rgb(str(rng.choice(["#b5613c", "#d8d2c6", "#50606b", "#a94f35"])))
    plant.polygon([(-0.15, 0.0), (0.15, 0.0), (0.2, 0.32), (-0.2, 0.32)], pot)
    plant.block((-0.22, 0.3, 0.22, 0.37), pot * 1.1)
    return plant
