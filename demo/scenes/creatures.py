"""People and animals."""

from typing import Literal

import numpy as np

from demo.scenes.light import rgb
from demo.scenes.noise import Floats
from demo.scenes.sprite import Point, Sprite

Pose = Literal["standing", "walking", "skiing", "back"]
SKIN = ("#e8b998", "#d9a07a", "#a5714b", "#7a4f33", "#f0c8a8")
CLOTHES = ("#b8322f", "#2d5f9e", "#e0dcd0", "#3b3f46", "#2f7a56", "#d9a521", "#7b3f7a", "#c7683a")
COATS = ("#6b4a2d", "#2b2624", "#c49a62", "#8a8076", "#e6ddcc", "#9a5c30")


def person(rng: np.random.Generator, unit: float, pose: Pose = "standing") -> Sprite:
    """A person, `unit` pixels tall."""
    body = Sprite(unit, (-0.35, -0.05, 0.35, 1.04), roundness=0.6)
    skin, hair = rgb(str(rng.choice(SKIN))), rgb(str(rng.choice(["#2b1d14", "#5a3a1f", "#a77b43"])))
    shirt, trousers = (rgb(str(c)) for c in rng.choice(CLOTHES, 2, replace=False))
    stride = {"standing": 0.045, "walking": 0.10, "skiing": 0.06, "back": 0.04}[pose]
    knees = 0.04 if pose == "skiing" else 0.0
    for side in (-1.0, 1.0):
        shade = 0.85 if side < 0 else 1.0
        hip, foot = (side * 0.035, 0.5), (side * stride, 0.03)
        knee = (side * stride * 0.65 + 0.03 * (pose == "walking") + knees, 0.27)
        body.limb([hip, knee, foot], 0.066, trousers * shade)
        body.limb([foot, (foot[0] + 0.045, 0.018)], 0.036, "#2a2320")
    swing = 0.05 if pose in ("walking", "skiing") else 0.03
    for side in (-1.0, 1.0):
        shoulder, elbow = (side * 0.088, 0.79), (side * (0.115 + swing * 0.3), 0.65)
        hand = (side * 0.11 + swing * side, 0.52 + (0.06 if pose == "skiing" else 0.0))
        body.limb([shoulder, elbow], 0.05, shirt * (0.82 if side < 0 else 0.95))
        body.limb([elbow, hand], 0.036, skin if pose != "skiing" else shirt * 0.9)
    torso: list[Point] = [
        (-0.088, 0.8), (0.088, 0.8), (0.098, 0.72), (0.072, 0.6), (0.082, 0.48), (-0.082, 0.48),
        (-0.072, 0.6), (-0.098, 0.72),
    ]  # fmt: skip
    body.curve(torso, shirt)
    body.limb([(0.0, 0.82), (0.0, 0.86)], 0.045, skin * 0.85)
    body.oval((0.0, 0.925), 0.05, 0.066, hair if pose == "back" else skin)
    if pose == "back":
        body.oval((0.0, 0.90), 0.052, 0.07, hair)
    else:
        cap: list[Point] = [
            (-0.055, 0.92), (-0.05, 0.97), (0.0, 1.0), (0.05, 0.975), (0.055, 0.93), (0.03, 0.955),
            (-0.02, 0.955),
        ]  # fmt: skip
        body.curve(cap, hair)
    if pose == "skiing":
        body.limb([(-0.28, -0.02), (0.3, 0.0)], 0.02, "#c23b31")
        for side in (-1.0, 1.0):
            body.limb([(side * 0.2, 0.6), (side * 0.26, 0.02)], 0.012, "#3a3a3d")
    return body


def _four_legs(body: Sprite, places: tuple[float, ...], width: float, top: float, coat: Floats,
               spread: float) -> None:  # fmt: skip
    for number, x in enumerate(places):
        far = number % 2 == 0
        shift = spread * (1.0 if number % 2 else -1.0)
        colour = coat * (0.62 if far else 0.92)
        body.limb([(x, top), (x + shift * 0.4, top * 0.5), (x + shift, 0.02)], width, colour)


def dog(rng: np.random.Generator, unit: float, *, running: bool = False) -> Sprite:
    """A dog seen from its side; `unit` pixels from the ground to its head."""
    body = Sprite(unit, (-0.95, -0.05, 0.95, 1.1), roundness=0.6)
    coat = rgb(str(rng.choice(COATS)))
    spread = 0.22 if running else 0.03
    _four_legs(body, (-0.42, -0.34, 0.30, 0.38), 0.095, 0.46, coat, spread)
    wag: list[Point] = [(-0.5, 0.62), (-0.68, 0.72 + 0.08 * running), (-0.78, 0.92)]
    body.limb(wag, 0.065, coat * 0.95)
    trunk: list[Point] = [
        (-0.55, 0.6), (-0.4, 0.72), (0.1, 0.7), (0.42, 0.76), (0.52, 0.6), (0.42, 0.4), (0.1, 0.36),
        (-0.3, 0.44), (-0.5, 0.45),
    ]  # fmt: skip
    body.curve(trunk, coat)
    body.limb([(0.38, 0.6), (0.54, 0.82)], 0.2, coat)
    body.oval((0.6, 0.88), 0.155, 0.135, coat * 1.03)
    body.limb([(0.66, 0.85), (0.82, 0.81)], 0.115, coat * 1.05)
    body.oval((0.88, 0.83), 0.035, 0.03, "#1c1614")
    body.oval((0.66, 0.92), 0.02, 0.022, "#140e0c")
    body.curve([(0.47, 0.99), (0.58, 0.97), (0.56, 0.74), (0.47, 0.68), (0.42, 0.82)], coat * 0.68)
    if rng.random() < 0.4:
        body.oval((0.42, 0.5), 0.1, 0.13, "#efe7d8")
    return body


def cow(rng: np.random.Generator, unit: float) -> Sprite:
    """A cow seen from its side, `unit` pixels tall."""
    body = Sprite(unit, (-0.95, -0.05, 1.0, 1.1), roundness=0.55)
    white = bool(rng.random() < 0.6)
    coat = rgb("#ece6da") if white else rgb(str(rng.choice(["#7a4a2b", "#9a6237", "#3a2c25"])))
    _four_legs(body, (-0.5, -0.4, 0.36, 0.46), 0.09, 0.42, coat, 0.02)
    body.limb([(-0.62, 0.82), (-0.7, 0.6), (-0.69, 0.35)], 0.03, coat * 0.8)
    trunk: list[Point] = [
        (-0.65, 0.75), (-0.55, 0.9), (0.0, 0.86), (0.42, 0.92), (0.58, 0.78), (0.52, 0.5),
        (0.1, 0.36), (-0.4, 0.4), (-0.62, 0.5),
    ]  # fmt: skip
    body.curve(trunk, coat)
    if white:
        for _ in range(6):
            x, y = rng.uniform(-0.5, 0.42), rng.uniform(0.52, 0.8)
            ring = np.linspace(0.0, 2 * np.pi, 7)[:-1]
            wide = rng.uniform(0.07, 0.16)
            spot = [
                (x + wide * np.cos(a) * rng.uniform(0.7, 1.3), y + 0.7 * wide * np.sin(a))
                for a in ring
            ]
            body.curve(spot, "#2a2422")
    body.oval((-0.3, 0.38), 0.1, 0.07, "#e2b3a3")
    body.limb([(0.5, 0.8), (0.68, 0.9)], 0.26, coat * 0.96)
    head: list[Point] = [(0.6, 1.0), (0.78, 1.0), (0.95, 0.74), (0.88, 0.64), (0.76, 0.7)]
    body.curve(head, coat * 0.98 if not white else rgb("#2f2826"))
    body.oval((0.92, 0.69), 0.065, 0.055, "#dba99a")
    body.oval((0.62, 0.96), 0.085, 0.04, coat * 0.75)
    body.limb([(0.68, 1.01), (0.72, 1.08)], 0.025, "#d8cfae")
    body.oval((0.78, 0.9), 0.018, 0.02, "#0d0a09")
    return body


def horse(rng: np.random.Generator, unit: float) -> Sprite:
    """A horse seen from its side, `unit` pixels to the top of its head."""
    body = Sprite(unit, (-0.75, -0.05, 0.8, 1.08), roundness=0.6)
    coat = rgb(str(rng.choice(["#6b3f22", "#8a5a32", "#3b2a20", "#b9a68c"])))
    mane = coat * 0.4
    _four_legs(body, (-0.42, -0.33, 0.24, 0.32), 0.062, 0.42, coat, 0.03)
    tail: list[Point] = [(-0.5, 0.66), (-0.58, 0.64), (-0.62, 0.3), (-0.55, 0.28), (-0.53, 0.5)]
    body.curve(tail, mane)
    trunk: list[Point] = [
        (-0.52, 0.6), (-0.44, 0.72), (-0.1, 0.66), (0.25, 0.72), (0.42, 0.62), (0.36, 0.42),
        (0.0, 0.38), (-0.3, 0.42), (-0.48, 0.46),
    ]  # fmt: skip
    body.curve(trunk, coat)
    neck: list[Point] = [(0.18, 0.7), (0.42, 0.98), (0.56, 0.94), (0.46, 0.7), (0.38, 0.52)]
    body.curve(neck, coat)
    body.limb([(0.2, 0.72), (0.3, 0.86), (0.43, 0.99)], 0.055, mane)
    body.curve([(0.42, 0.98), (0.54, 1.0), (0.72, 0.76), (0.66, 0.70), (0.5, 0.83)], coat * 1.04)
    body.polygon([(0.44, 0.97), (0.5, 0.98), (0.48, 1.06)], coat * 0.8)
    body.oval((0.55, 0.92), 0.014, 0.016, "#0e0908")
    body.oval((0.69, 0.74), 0.03, 0.025, coat * 0.5)
    return body


def sheep(rng: np.random.Generator, unit: float) -> Sprite:
    """A sheep seen from its side, `unit` pixels tall."""
    body = Sprite(unit, (-0.85, -0.05, 0.9, 1.08), roundness=0.5)
    wool = rgb(str(rng.choice(["#e9e1d0", "#d9cfbc", "#f0ebdf"])))
    face = rgb(str(rng.choice(["#2c2623", "#c9b79d"])))
    _four_legs(body, (-0.36, -0.26, 0.28, 0.38), 0.075, 0.36, face * 0.9, 0.02)
    for order in range(120):
        angle, far = rng.uniform(0.0, 2 * np.pi), np.sqrt(rng.random())
        x, y = 0.55 * far * np.cos(angle), 0.6 + 0.27 * far * np.sin(angle)
        lit = 0.72 + 0.3 * (y - 0.33) / 0.54 + 0.1 * order / 120
        body.oval((x, y), 0.085, 0.075, np.asarray(np.clip(wool * lit, 0, 1), np.float32))
    body.curve([(0.5, 0.88), (0.66, 0.9), (0.82, 0.66), (0.74, 0.58), (0.56, 0.66)], face)
    body.oval((0.5, 0.82), 0.09, 0.04, face * 0.8)
    body.oval((0.52, 0.9), 0.12, 0.08, wool * 0.97)
    return body


def gull(rng: np.random.Generator, unit: float) -> Sprite:
    """A bird in flight, `unit` pixels from wing tip to wing tip."""
    bird = Sprite(unit, (-0.55, -0.25, 0.55, 0.4), roundness=0.3)
    dark = bool(rng.random() < 0.35)
    feather = rgb("#34343a") if dark else rgb("#eef0f2")
    lift = float(rng.uniform(0.08, 0.26))
    bird.curve([(-0.13, 0.0), (0.05, 0.05), (0.2, 0.02), (0.05, -0.05), (-0.1, -0.04)], feather)
    bird.polygon([(-0.1, 0.0), (-0.22, 0.035), (-0.22, -0.05)], feather * 0.85)
    for side in (-1.0, 1.0):
        tip = (side * 0.5, lift * 0.55)
        wing: list[Point] = [
            (0.06 * side + 0.03, 0.03), (side * 0.24, lift), tip, (side * 0.24, lift - 0.075),
            (0.03, -0.03),
        ]  # fmt: skip
        bird.curve(wing, feather * (0.82 if side < 0 else 0.95))
        bird.curve([(side * 0.36, lift * 0.9), tip, (side * 0.36, lift * 0.72)], "#2c2d33")
    bird.oval((0.2, 0.03), 0.045, 0.04, feather)
    bird.polygon([(0.235, 0.035), (0.235, 0.01), (0.295, 0.015)], "#d99a2b")
    return bird
