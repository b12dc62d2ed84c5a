"""Boats, cars, airplanes and trains."""

import numpy as np

from demo.scenes.light import rgb
from demo.scenes.noise import Floats
from demo.scenes.sprite import Point, Sprite

PAINT = {
    "red": "#b3261e", "blue": "#23508f", "white": "#e6e7e9", "black": "#26282b",
    "yellow": "#e0b020", "green": "#2f6b4a", "silver": "#a3a8ad",
}  # fmt: skip
GLASS = "#3f5666"


def sailboat(rng: np.random.Generator, unit: float, hull: str = "white") -> Sprite:
    """A sailing boat, `unit` pixels tall."""
    boat = Sprite(unit, (-0.5, -0.06, 0.5, 1.05), roundness=0.35)
    sail = rgb(str(rng.choice(["#f4f1e8", "#f7f7f4", "#ead9b8"])))
    boat.limb([(0.0, 0.08), (0.0, 1.0)], 0.014, "#6e5b46")
    boat.curve([(0.012, 0.98), (0.1, 0.6), (0.34, 0.17), (0.16, 0.15), (0.014, 0.16)], sail)
    boat.curve([(-0.015, 0.9), (-0.1, 0.55), (-0.27, 0.18), (-0.12, 0.165), (-0.015, 0.2)],
               sail * 0.88)  # fmt: skip
    for height in (0.35, 0.55, 0.75):
        boat.limb([(0.014, height), (0.27 * (1.05 - height), height - 0.02)], 0.004, sail * 0.8)
    boat.block((-0.13, 0.08, 0.12, 0.15), "#d9d2c2")
    shape: list[Point] = [
        (-0.36, 0.11), (0.40, 0.13), (0.30, 0.0), (0.2, -0.035), (-0.22, -0.035), (-0.31, 0.01),
    ]  # fmt: skip
    boat.polygon(shape, PAINT[hull])
    boat.limb([(-0.36, 0.105), (0.395, 0.125)], 0.014, "#f2efe6" if hull != "white" else "#3d5a80")
    return boat


def rowing_boat(rng: np.random.Generator, unit: float) -> Sprite:
    """A small wooden boat, `unit` pixels long."""
    boat = Sprite(unit, (-0.55, -0.1, 0.55, 0.25), roundness=0.5)
    wood = rgb(str(rng.choice(["#7a4b2a", "#8c5f3a", "#2f5f7d", "#a33b2d"])))
    boat.curve([(-0.5, 0.15), (0.0, 0.09), (0.5, 0.17), (0.0, 0.14)], wood * 0.45)
    shape: list[Point] = [
        (-0.5, 0.16), (-0.25, 0.10), (0.25, 0.105), (0.5, 0.18), (0.38, -0.02), (0.1, -0.07),
        (-0.15, -0.07), (-0.4, -0.02),
    ]  # fmt: skip
    boat.polygon(shape, wood)
    for level in (0.03, -0.02):
        boat.limb([(-0.42, level + 0.03), (0.0, level), (0.42, level + 0.04)], 0.006, wood * 0.7)
    rim: list[Point] = [(-0.5, 0.16), (-0.25, 0.105), (0.25, 0.11), (0.5, 0.18)]
    boat.limb(rim, 0.022, wood * 1.3)
    return boat


def car_side(unit: float, colour: str) -> Sprite:
    """A car seen from its side, `unit` pixels long."""
    car = Sprite(unit, (-0.54, -0.02, 0.54, 0.36), roundness=0.55)
    paint = rgb(PAINT[colour])
    cabin: list[Point] = [(-0.33, 0.19), (-0.22, 0.315), (0.10, 0.32), (0.26, 0.19)]
    car.polygon(cabin, paint * 0.95)
    car.oval((-0.06, 0.30), 0.17, 0.03, paint)
    shape: list[Point] = [
        (-0.49, 0.19), (-0.35, 0.205), (0.24, 0.205), (0.43, 0.17), (0.5, 0.12), (0.5, 0.06),
        (0.46, 0.045), (-0.48, 0.045), (-0.51, 0.1),
    ]  # fmt: skip
    car.curve(shape, paint)
    car.polygon([(-0.285, 0.205), (-0.2, 0.295), (-0.075, 0.298), (-0.075, 0.205)], GLASS)
    car.polygon([(-0.05, 0.205), (-0.05, 0.298), (0.09, 0.295), (0.2, 0.205)], "#4c6575")
    for x in (-0.062, 0.2):
        car.limb([(x, 0.2), (x - 0.01, 0.07)], 0.005, paint * 0.55)
    car.limb([(-0.48, 0.12), (0.48, 0.125)], 0.006, paint * 0.7)
    car.oval((0.472, 0.135), 0.028, 0.02, "#f6f1d8", glow="#55523f")
    car.oval((-0.495, 0.15), 0.016, 0.022, "#a8241c", glow="#400000")
    car.block((-0.46, 0.03, 0.46, 0.055), "#222325")
    for x in (-0.31, 0.31):
        car.oval((x, 0.07), 0.095, 0.095, paint * 0.35)
        car.oval((x, 0.065), 0.078, 0.078, "#191a1c")
        car.oval((x, 0.065), 0.046, 0.046, "#a9adb2")
        for angle in np.linspace(0.0, 2 * np.pi, 6)[:-1]:
            tip = (x + 0.04 * np.cos(angle), 0.065 + 0.04 * np.sin(angle))
            car.limb([(x, 0.065), tip], 0.007, "#6d7176")
    return car


def car_end(unit: float, colour: str, *, coming: bool = False, lit: bool = False) -> Sprite:
    """A car seen from behind (or in front, `coming`), `unit` pixels wide."""
    car = Sprite(unit, (-0.56, -0.03, 0.56, 0.92), roundness=0.5)
    paint = rgb(PAINT[colour])
    for x in (-0.38, 0.38):
        car.block((x - 0.09, -0.01, x + 0.09, 0.2), "#17181a")
    cabin: list[Point] = [(-0.42, 0.5), (-0.32, 0.8), (-0.2, 0.85), (0.2, 0.85), (0.32, 0.8),
                          (0.42, 0.5)]  # fmt: skip
    car.polygon(cabin, paint * 0.9)
    glass: list[Point] = [(-0.34, 0.53), (-0.27, 0.77), (0.27, 0.77), (0.34, 0.53)]
    car.polygon(glass, GLASS)
    car.polygon([(-0.34, 0.53), (-0.27, 0.77), (-0.05, 0.77), (-0.2, 0.53)], "#5c7686")
    shape: list[Point] = [
        (-0.47, 0.5), (0.47, 0.5), (0.5, 0.4), (0.49, 0.17), (0.43, 0.12), (-0.43, 0.12),
        (-0.49, 0.17), (-0.5, 0.4),
    ]  # fmt: skip
    car.curve(shape, paint)
    lamp, shine = ("#f5f0dc", "#8a8468") if coming else ("#b3201a", "#5a0800")
    for side in (-1.0, 1.0):
        glow = shine if lit or not coming else "#000000"
        car.oval((side * 0.38, 0.4), 0.085, 0.055, lamp, glow=glow)
        car.oval((side * 0.53, 0.56), 0.045, 0.035, paint * 0.7)
    if coming:
        car.block((-0.2, 0.3, 0.2, 0.4), "#26282b")
    car.block((-0.48, 0.12, 0.48, 0.2), paint * 0.6)
    car.block((-0.13, 0.22, 0.13, 0.285), "#e8e6da")
    return car


def airplane(unit: float) -> Sprite:
    """An airliner seen from its side, `unit` pixels long."""
    plane = Sprite(unit, (-0.56, -0.22, 0.56, 0.3), roundness=0.55)
    white = rgb("#eceef1")
    plane.polygon([(-0.02, 0.02), (0.1, 0.03), (-0.12, 0.17), (-0.18, 0.17)], white * 0.72)
    tube: list[Point] = [
        (-0.5, 0.055), (-0.3, 0.055), (0.3, 0.055), (0.44, 0.04), (0.5, 0.0), (0.42, -0.045),
        (0.2, -0.055), (-0.25, -0.05), (-0.42, 0.005),
    ]  # fmt: skip
    plane.curve(tube, white)
    plane.polygon([(-0.38, 0.04), (-0.46, 0.24), (-0.53, 0.24), (-0.5, 0.04)], "#2b5ea8")
    plane.polygon([(-0.4, 0.02), (-0.5, -0.03), (-0.55, -0.03), (-0.5, 0.03)], white * 0.7)
    plane.polygon([(0.1, -0.01), (-0.03, -0.01), (-0.24, -0.19), (-0.18, -0.19)], white * 0.62)
    plane.oval((0.0, -0.085), 0.05, 0.028, "#8f969d")
    for x in np.linspace(-0.34, 0.36, 26):
        plane.oval((float(x), 0.018), 0.006, 0.008, "#3c4a58")
    plane.polygon([(0.42, 0.035), (0.465, 0.022), (0.462, 0.008), (0.42, 0.015)], "#33414e")
    plane.limb([(-0.46, -0.005), (0.46, -0.012)], 0.008, "#2b5ea8")
    return plane


def train_front(unit: float, colour: str) -> Sprite:
    """A train that comes towards the viewer, its carriages behind it; `unit` pixels wide."""
    train = Sprite(unit, (-0.6, -0.05, 1.5, 1.4), roundness=0.35)
    paint = rgb(PAINT[colour])
    side: list[Point] = [(0.45, 0.1), (1.35, 0.62), (1.35, 0.92), (0.45, 1.25)]
    train.polygon(side, paint * 0.62)
    train.polygon([(0.3, 1.32), (0.45, 1.25), (1.35, 0.92), (1.3, 0.94)], "#6d7074")
    for start in np.linspace(0.08, 0.86, 7):
        train.polygon(_slanted(float(start), 0.08, 0.52, 0.8), "#2b3a46")
    train.polygon(_slanted(0.0, 1.0, 0.34, 0.42), rgb("#e8e4d6") * 0.8)
    face: list[Point] = [
        (-0.5, 0.1), (-0.5, 1.1), (-0.36, 1.28), (0.0, 1.33), (0.36, 1.28), (0.5, 1.1), (0.5, 0.1),
    ]  # fmt: skip
    train.polygon(face, paint)
    train.curve([(-0.4, 0.72), (-0.34, 1.1), (0.34, 1.1), (0.4, 0.72)], "#25323c")
    train.limb([(0.0, 0.72), (0.0, 1.12)], 0.03, paint * 0.8)
    train.block((-0.5, 0.44, 0.5, 0.54), "#e6c23a")
    for x in (-0.34, 0.34):
        train.oval((x, 0.34), 0.075, 0.065, "#fff6d8", glow="#8c8050")
    train.oval((0.0, 1.21), 0.06, 0.045, "#fff6d8", glow="#8c8050")
    train.block((-0.42, -0.02, 0.42, 0.12), "#232528")
    return train


def _slanted(start: float, length: float, low: float, high: float) -> list[Point]:
    """A rectangle on the side of the train: positions along it and heights as shares of 1."""

    def at(along: float, up: float) -> Point:
        x = 0.45 + 0.9 * along
        bottom, top = 0.1 + 0.52 * along, 1.25 - 0.33 * along
        return x, bottom + (top - bottom) * up

    end = start + length
    return [at(start, low), at(end, low), at(end, high), at(start, high)]


def any_colour(rng: np.random.Generator) -> str:
    """A random colour name of PAINT."""
    return str(rng.choice(list(PAINT)))


def tone(colour: str) -> Floats:
    """A colour of PAINT as float32 (3,)."""
    return rgb(PAINT[colour])
