"""Scenes of towns: roads, streets, houses, rails and playing fields."""

import numpy as np

from demo.scenes import backdrops, creatures, grounds, labels, plants, things, vehicles
from demo.scenes.canvas import Canvas
from demo.scenes.sprite import Sprite
from demo.scenes.standing import row_at, stand_person, stand_trees


def country_road(canvas: Canvas) -> str:
    """A road to the horizon, with or without a car."""
    rng, light = canvas.rng, canvas.light
    canvas.eye = 1.6
    backdrops.sky(canvas, rng.uniform(0.2, 0.7))
    hilly = bool(rng.random() < 0.5)
    if hilly:
        backdrops.mountains(canvas, height=rng.uniform(0.3, 0.5), snow=0.3)
    backdrops.far_trees(canvas, height=0.1)
    grounds.grass(canvas)
    grounds.road(canvas)
    stand_trees(canvas, int(rng.integers(2, 6)), "broadleaf", far=0.1, near=0.22)
    behind = " towards mountains" if hilly else " between trees"
    if rng.random() < 0.7:
        colour = vehicles.any_colour(rng)
        row = row_at(canvas, rng.uniform(0.3, 0.55))
        coming = bool(rng.integers(2))
        night = light.hour == "night"
        car = vehicles.car_end(1.8 * canvas.metre(row), colour, coming=coming, lit=night)
        share = (row - canvas.horizon) / (canvas.height - canvas.horizon)
        lane = 0.5 + (-0.26 if coming else 0.26) * share
        canvas.place(car, lane * canvas.width, row, labels.CAR, shadow=0.6)
        return f"a {colour} car on a country road{behind} {light.phrase}"
    return f"an empty country road{behind} {light.phrase}"


def city_street(canvas: Canvas) -> str:
    """A car in front of buildings."""
    rng, light = canvas.rng, canvas.light
    canvas.eye = 1.8
    night = light.hour == "night"
    backdrops.sky(canvas, rng.uniform(0.2, 0.8), sun=False)
    grounds.plane(canvas, labels.PAVEMENT, "#9a948c", canvas.horizon / canvas.height)
    x = -0.05
    while x < 1.05:
        wide = rng.uniform(0.14, 0.24)
        tall = rng.uniform(1.4, 2.6) * canvas.horizon / (wide * canvas.width) * 0.42
        block = things.tower(rng, wide * canvas.width, tall, lit=night)
        middle = (x + wide / 2) * canvas.width
        canvas.place(block, middle, canvas.horizon + 0.1 * canvas.height, labels.BUILDING, shadow=0)
        x += wide * 1.08
    kerb = canvas.horizon / canvas.height + 0.2
    grounds.plane(canvas, labels.ROAD, "#5f6166", kerb)
    _stripe(canvas, kerb)
    people = int(rng.integers(0, 3))
    for place in rng.permutation(np.linspace(0.2, 0.8, 4))[:people]:
        row = (kerb - 0.02) * canvas.height
        sprite = creatures.person(rng, 0.26 * canvas.height, "walking")
        canvas.place(sprite, float(place) * canvas.width, row, labels.PERSON)
    colour = vehicles.any_colour(rng)
    car = vehicles.car_side(canvas.width * rng.uniform(0.46, 0.56), colour)
    row = canvas.height * rng.uniform(0.9, 0.94)
    canvas.place(car, rng.uniform(0.36, 0.64) * canvas.width, row, labels.CAR, shadow=0.7)
    walkers = ("", " and a person walking past", " and two people walking past")[people]
    return f"a {colour} car on a city street in front of buildings{walkers} {light.phrase}"


def _stripe(canvas: Canvas, kerb: float) -> None:
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    flat = np.ones((1, canvas.width), np.float32)
    edge = np.exp(-(((rows - kerb * canvas.height) / 2.0) ** 2)) * flat
    canvas.tint(np.array([0.75, 0.73, 0.7], np.float32), edge * 0.8)


def house_in_garden(canvas: Canvas) -> str:
    """A house in summer or winter."""
    rng, light = canvas.rng, canvas.light
    canvas.eye = 1.8
    winter = bool(rng.random() < 0.35)
    night = light.hour == "night"
    backdrops.sky(canvas, rng.uniform(0.1, 0.7), sun=False)
    backdrops.far_trees(canvas, height=0.15)
    if winter:
        grounds.snow(canvas)
    else:
        grounds.grass(canvas)
    stand_trees(canvas, 4, "snowy" if winter else "broadleaf", far=0.1, near=0.25)
    home = things.house(rng, canvas.width * rng.uniform(0.4, 0.5), lit=night, snowy=winter)
    row = row_at(canvas, 0.3)
    canvas.place(home, rng.uniform(0.4, 0.6) * canvas.width, row, labels.HOUSE, shadow=0.5)
    if winter:
        return f"a house in the snow with trees around it {light.phrase}"
    for x in np.linspace(0.1, 0.9, 7) + rng.normal(0.0, 0.02, 7):
        row = row_at(canvas, rng.uniform(0.33, 0.4))
        canvas.place(plants.bush(rng, 0.09 * canvas.height), x * canvas.width, row, labels.TREE)
    if rng.random() < 0.5:
        row = row_at(canvas, 0.85)
        colour = vehicles.any_colour(rng)
        grounds.plane(canvas, labels.ROAD, "#66686c", row_at(canvas, 0.68) / canvas.height)
        car = vehicles.car_side(canvas.width * 0.38, colour)
        canvas.place(car, rng.uniform(0.3, 0.7) * canvas.width, row, labels.CAR, shadow=0.7)
        return f"a {colour} car on the road in front of a house with trees {light.phrase}"
    return f"a house with a green lawn and trees {light.phrase}"


def night_city(canvas: Canvas) -> str:
    """Lit windows over dark water."""
    rng = canvas.rng
    backdrops.sky(canvas, rng.uniform(0.1, 0.4))
    x = -0.02
    while x < 1.02:
        wide = rng.uniform(0.07, 0.15)
        tall = rng.uniform(1.0, 3.2) * canvas.horizon / (wide * canvas.width) * 0.25
        block = things.tower(rng, wide * canvas.width, tall, lit=True)
        middle = (x + wide / 2) * canvas.width
        canvas.place(block, middle, canvas.horizon, labels.BUILDING, shadow=0.0)
        x += wide * 1.05
    backdrops.water(canvas, labels.WATER, calm=0.8, deep="#18304a")
    depth = canvas.height - canvas.horizon
    source = canvas.glow[max(canvas.horizon - depth, 0) : canvas.horizon][::-1]
    fade = np.linspace(0.6, 0.15, len(source), dtype=np.float32)[:, None, None]
    waves = rng.normal(0.0, 2.0, len(source)).astype(int)
    for row, step in enumerate(waves):
        canvas.glow[canvas.horizon + row] += np.roll(source[row], step, axis=0) * fade[row]
    return "the lit buildings of a city across the water of a lake at night"


def flying(canvas: Canvas) -> str:
    """An airplane or birds in the sky."""
    rng, light = canvas.rng, canvas.light
    canvas.horizon = round(canvas.height * 1.15)
    backdrops.sky(canvas, rng.uniform(0.2, 0.65), sun=False)
    if rng.random() < 0.6:
        plane = vehicles.airplane(canvas.width * rng.uniform(0.5, 0.7))
        x, y = rng.uniform(0.42, 0.58) * canvas.width, rng.uniform(0.4, 0.6) * canvas.height
        canvas.place(plane, x, y, labels.AIRPLANE, shadow=0.0)
        return f"an airplane flying through the sky {light.phrase}"
    count = int(rng.integers(4, 9))
    for _ in range(count):
        bird = creatures.gull(rng, canvas.width * rng.uniform(0.14, 0.28))
        x, y = rng.uniform(0.15, 0.85) * canvas.width, rng.uniform(0.15, 0.85) * canvas.height
        canvas.place(bird, x, y, labels.BIRD, shadow=0.0)
    return f"a flock of birds in the sky {light.phrase}"


def railway(canvas: Canvas) -> str:
    """Tracks, with or without a train."""
    rng, light = canvas.rng, canvas.light
    canvas.eye = 2.2
    backdrops.sky(canvas, rng.uniform(0.2, 0.7), sun=False)
    backdrops.far_trees(canvas, height=0.18)
    grounds.grass(canvas, colour="#6d7f40")
    grounds.rails(canvas)
    stand_trees(canvas, 4, "broadleaf", far=0.1, near=0.2)
    if rng.random() < 0.7:
        colour = str(rng.choice(["red", "blue", "green", "yellow", "white"]))
        row = row_at(canvas, rng.uniform(0.5, 0.7))
        share = (row - canvas.horizon) / (canvas.height - canvas.horizon)
        train = vehicles.train_front(0.62 * share * canvas.width, colour)
        canvas.place(train, 0.5 * canvas.width, row, labels.TRAIN, shadow=0.6)
        return f"a {colour} train on railway tracks between trees {light.phrase}"
    return f"empty railway tracks between trees {light.phrase}"


def football(canvas: Canvas) -> str:
    """Players and a ball."""
    rng = canvas.rng
    canvas.eye = 2.6
    backdrops.sky(canvas, rng.uniform(0.2, 0.7), sun=False)
    backdrops.far_trees(canvas, height=0.22)
    top = canvas.horizon / canvas.height
    grounds.plane(canvas, labels.PLAYING_FIELD, "#4f8a3c", top, rough=0.12)
    depth = backdrops.ground_grid(canvas)[0]
    mown = 0.10 * np.sign(np.sin(depth * 3.0)) * (canvas.labels == labels.PLAYING_FIELD)
    canvas.colours *= (1.0 + mown)[..., None].astype(np.float32)
    for position in (0.08, 0.92):
        canvas.tint(np.ones(3, np.float32), grounds.strip(canvas, position, 0.008) * 0.85)
    count = int(rng.integers(2, 5))
    for x in np.linspace(0.2, 0.8, count) + rng.normal(0.0, 0.03, count):
        stand_person(canvas, float(x), rng.uniform(0.45, 0.75), "walking")
    row = row_at(canvas, 0.86)
    ball = Sprite(0.34 * canvas.metre(row), (-0.6, -0.05, 0.6, 1.1), roundness=0.8)
    ball.oval((0.0, 0.5), 0.5, 0.5, "#f2f2ef")
    for angle in np.linspace(0.3, 2 * np.pi + 0.3, 6)[:-1]:
        ball.oval((0.33 * np.cos(angle), 0.5 + 0.33 * np.sin(angle)), 0.12, 0.12, "#26282b")
    canvas.place(ball, rng.uniform(0.35, 0.65) * canvas.width, row, labels.BALL)
    number = ("two", "three", "four")[count - 2]
    return f"{number} people playing with a ball on a playing field {canvas.light.phrase}"
