"""Outdoor scenes: each function paints one and returns its caption."""

import numpy as np

from demo.scenes import backdrops, creatures, grounds, labels, plants, things, vehicles
from demo.scenes.canvas import Canvas
from demo.scenes.standing import BRIGHT, Growth, row_at, stand_person, stand_tree, stand_trees


def beach(canvas: Canvas) -> str:
    """Sand, sea, and an umbrella, a person, a dog or a palm."""
    rng, light = canvas.rng, canvas.light
    canvas.eye = 1.9
    backdrops.sky(canvas, rng.uniform(0.15, 0.6))
    backdrops.water(canvas, labels.SEA, calm=0.3, deep="#1f7a94")
    grounds.sand(canvas, rng.uniform(0.6, 0.66), tilt=rng.uniform(-0.12, 0.12), wet=True)
    choice = int(rng.integers(4))
    if choice == 0:
        colour = str(rng.choice(list(BRIGHT)))
        row = row_at(canvas, 0.75)
        sprite = things.parasol(rng, 2.3 * canvas.metre(row), BRIGHT[colour])
        canvas.place(sprite, rng.uniform(0.3, 0.7) * canvas.width, row, labels.UMBRELLA)
        return f"a {colour} and white beach umbrella on the sand by the sea {light.phrase}"
    if choice == 1:
        stand_person(canvas, rng.uniform(0.3, 0.7), 0.75, "walking")
        return f"a person walking along the beach by the sea {light.phrase}"
    if choice == 2:
        row = row_at(canvas, 0.8)
        sprite = creatures.dog(rng, 0.95 * canvas.metre(row), running=True)
        canvas.place(sprite, rng.uniform(0.35, 0.65) * canvas.width, row, labels.DOG)
        return f"a dog running on the beach by the sea {light.phrase}"
    row = row_at(canvas, 0.72)
    sprite = plants.palm(rng, 4.2 * canvas.metre(row))
    canvas.place(sprite, rng.choice([0.22, 0.78]) * canvas.width, row, labels.TREE)
    return f"a palm tree on an empty beach by the sea {light.phrase}"


def sailing(canvas: Canvas) -> str:
    """One to three sailboats."""
    rng, light = canvas.rng, canvas.light
    backdrops.sky(canvas, rng.uniform(0.2, 0.7))
    backdrops.water(canvas, labels.SEA, calm=0.4)
    count = int(rng.integers(1, 4))
    places = np.linspace(0.2, 0.8, count + 2)[1:-1] + rng.normal(0.0, 0.04, count)
    for x in places:
        share = float(rng.uniform(0.12, 0.3) if count > 1 else rng.uniform(0.3, 0.5))
        hull = str(rng.choice(["white", "red", "blue", "black"]))
        tall = canvas.height * (0.25 + 0.75 * share)
        boat = vehicles.sailboat(rng, tall, hull)
        canvas.place(
            boat, float(x) * canvas.width, row_at(canvas, share), labels.BOAT, reflection=0.4
        )
    if count == 1:
        return f"a sailboat on the sea {light.phrase}"
    return f"{('two', 'three')[count - 2]} sailboats on the sea {light.phrase}"


def open_sea(canvas: Canvas) -> str:
    """Birds over waves."""
    rng = canvas.rng
    backdrops.sky(canvas, rng.uniform(0.3, 0.8))
    backdrops.water(canvas, labels.SEA, calm=0.0)
    count = int(rng.integers(3, 7))
    for _ in range(count):
        gull = creatures.gull(rng, canvas.width * rng.uniform(0.10, 0.2))
        x, y = rng.uniform(0.12, 0.88), rng.uniform(0.2, 0.85) * canvas.horizon
        canvas.place(gull, x * canvas.width, y, labels.BIRD, shadow=0.0)
    return f"birds flying over the open sea {canvas.light.phrase}"


def lake(canvas: Canvas) -> str:
    """Mountains mirrored in still water, with or without a boat."""
    rng = canvas.rng
    backdrops.sky(canvas, rng.uniform(0.2, 0.6), sun=False)
    backdrops.mountains(canvas, height=rng.uniform(0.5, 0.75), snow=rng.uniform(0.2, 0.8))
    backdrops.far_trees(canvas, height=0.1)
    backdrops.water(canvas, labels.WATER, calm=0.8, deep="#2a5a62")
    _still_mirror(canvas)
    if rng.random() < 0.6:
        row = row_at(canvas, rng.uniform(0.35, 0.6))
        boat = vehicles.rowing_boat(rng, canvas.width * rng.uniform(0.25, 0.36))
        x = rng.uniform(0.3, 0.7) * canvas.width
        canvas.place(boat, x, row, labels.BOAT, reflection=0.45)
        return f"a small boat on a calm lake below mountains {canvas.light.phrase}"
    return f"mountains mirrored in a calm lake {canvas.light.phrase}"


def _still_mirror(canvas: Canvas) -> None:
    """The reflection of everything above the water line."""
    depth = min(canvas.horizon, canvas.height - canvas.horizon)
    above = canvas.colours[canvas.horizon - depth : canvas.horizon][::-1]
    below = canvas.colours[canvas.horizon : canvas.horizon + depth]
    fade = np.linspace(0.6, 0.25, depth, dtype=np.float32)[:, None, None]
    below += (above * 0.85 - below) * fade


def alpine_snow(canvas: Canvas) -> str:
    """Snow below mountains: a skier, two dogs or nobody."""
    rng = canvas.rng
    canvas.eye = 2.2
    backdrops.sky(canvas, rng.uniform(0.0, 0.5), sun=False)
    backdrops.mountains(canvas, height=rng.uniform(0.6, 0.9), snow=1.2)
    grounds.snow(canvas)
    stand_trees(canvas, int(rng.integers(3, 8)), "snowy", far=0.06, near=0.25)
    choice = int(rng.integers(3))
    if choice == 0:
        stand_person(canvas, rng.uniform(0.35, 0.65), 0.7, "skiing")
        return f"a skier in the snow with mountains and trees behind {canvas.light.phrase}"
    if choice == 1:
        for x in (rng.uniform(0.28, 0.4), rng.uniform(0.58, 0.7)):
            row = row_at(canvas, rng.uniform(0.6, 0.8))
            dog = creatures.dog(rng, 0.95 * canvas.metre(row), running=True)
            canvas.place(dog, x * canvas.width, row, labels.DOG)
        return f"two dogs running in the snow below mountains and trees {canvas.light.phrase}"
    return f"snowy mountains and trees in the snow {canvas.light.phrase}"


def pasture(canvas: Canvas) -> str:
    """Cows, horses or sheep on a meadow."""
    rng = canvas.rng
    canvas.eye = 2.1
    backdrops.sky(canvas, rng.uniform(0.2, 0.7))
    backdrops.far_trees(canvas)
    grounds.grass(canvas, colour=str(rng.choice(["#5f8238", "#6f8a3e", "#587a34"])))
    animals = (
        ("cow", "cows", creatures.cow, labels.COW, 1.5),
        ("horse", "horses", creatures.horse, labels.HORSE, 2.0),
        ("sheep", "sheep", creatures.sheep, labels.SHEEP, 1.0),
    )
    one, many, draw, label, metres = animals[int(rng.integers(3))]
    count = int(rng.integers(1, 5))
    shares = np.sort(rng.uniform(0.22, 0.55, count)) if count > 1 else np.array([0.6])
    places = rng.permutation(np.linspace(0.18, 0.82, count)) if count > 1 else np.array([0.5])
    for x, share in zip(places, shares, strict=True):
        row = row_at(canvas, float(share))
        canvas.place(draw(rng, metres * canvas.metre(row)), x * canvas.width, row, label)
    word = one if count == 1 else many
    number = ("a", "two", "three", "four")[count - 1]
    return f"{number} {word} on a green meadow with trees behind {canvas.light.phrase}"


def park(canvas: Canvas) -> str:
    """A bench under trees."""
    rng = canvas.rng
    canvas.eye = 1.7
    autumn = bool(rng.random() < 0.4)
    backdrops.sky(canvas, rng.uniform(0.2, 0.7), sun=False)
    backdrops.far_trees(canvas, height=0.2)
    grounds.grass(canvas, colour="#7d7d3c" if autumn else "#5f8238")
    stand_trees(canvas, 4, "autumn" if autumn else "broadleaf", far=0.15, near=0.3)
    row = row_at(canvas, 0.72)
    x = rng.uniform(0.35, 0.6)
    canvas.place(things.bench(1.7 * canvas.metre(row)), x * canvas.width, row, labels.BENCH)
    season = " in autumn" if autumn else ""
    if rng.random() < 0.5:
        share = 0.85
        row = row_at(canvas, share)
        dog = creatures.dog(rng, 0.7 * canvas.metre(row))
        side = x + (0.28 if x < 0.5 else -0.3)
        canvas.place(dog, side * canvas.width, row, labels.DOG)
        return f"a dog beside a park bench under trees{season} {canvas.light.phrase}"
    return f"an empty bench under trees in a park{season} {canvas.light.phrase}"


def forest_path(canvas: Canvas) -> str:
    """A path between trees."""
    rng = canvas.rng
    canvas.eye = 1.7
    autumn = bool(rng.random() < 0.35)
    kind: Growth = "autumn" if autumn else ("conifer" if rng.random() < 0.5 else "broadleaf")
    backdrops.sky(canvas, 0.5, sun=False)
    backdrops.far_trees(canvas, height=0.5)
    grounds.grass(canvas, colour="#8a7238" if autumn else "#4d6b30")
    grounds.path(canvas)
    for share in np.sort(rng.uniform(0.04, 0.5, 26)):
        side = 1.0 if rng.random() < 0.5 else -1.0
        off = 0.12 + 0.5 * float(share) + rng.uniform(0.0, 0.4)
        stand_tree(canvas, 0.5 + side * off, float(share), rng.uniform(6.0, 9.0), kind)
    forest = "an autumn forest" if autumn else "a forest"
    if rng.random() < 0.5:
        stand_person(canvas, 0.5, rng.uniform(0.35, 0.6), "back")
        return f"a person walking on a path between the trees of {forest}"
    return f"a path through the trees of {forest}"


def flower_field(canvas: Canvas) -> str:
    """A meadow full of flowers of one colour."""
    rng = canvas.rng
    canvas.eye = 0.9
    backdrops.sky(canvas, rng.uniform(0.2, 0.6))
    if rng.random() < 0.5:
        backdrops.mountains(canvas, height=0.4, snow=0.4)
    backdrops.far_trees(canvas, height=0.08)
    grounds.grass(canvas, colour="#567a33")
    name, code = (("red", "#d0342c"), ("yellow", "#f0c93a"), ("purple", "#8a5aa8"),
                  ("white", "#f2f0e8"), ("pink", "#e58aa8"))[int(rng.integers(5))]  # fmt: skip
    for share in np.sort(rng.uniform(0.05, 1.05, 110) ** 1.1):
        row = row_at(canvas, float(share))
        unit = 0.26 * canvas.metre(row) * rng.uniform(0.8, 1.2)
        bloom = plants.flower(rng, unit, code)
        x = rng.uniform(0.0, 1.0) * canvas.width
        haze = 0.1 * (1.0 - min(float(share), 1.0))
        canvas.place(bloom, x, row, labels.FLOWER, shadow=0.0, haze=haze, grain=0.0)
    return f"a field of {name} flowers {canvas.light.phrase}"


def kites(canvas: Canvas) -> str:
    """A small person and large kites."""
    rng = canvas.rng
    canvas.eye = 2.6
    backdrops.sky(canvas, rng.uniform(0.1, 0.5))
    backdrops.far_trees(canvas, height=0.06)
    grounds.grass(canvas)
    count = int(rng.integers(1, 4))
    colour = "red"
    for x in rng.permutation(np.linspace(0.2, 0.8, count)):
        colour = str(rng.choice(list(BRIGHT)))
        kite = things.kite(rng, canvas.width * rng.uniform(0.12, 0.2), BRIGHT[colour])
        y = rng.uniform(0.2, 0.6) * canvas.horizon
        canvas.place(kite, float(x) * canvas.width, y, labels.KITE, shadow=0.0)
    stand_person(canvas, rng.uniform(0.3, 0.7), 0.5, "back")
    what = f"a {colour} kite" if count == 1 else f"{('two', 'three')[count - 2]} colourful kites"
    return f"a person flying {what} over the grass {canvas.light.phrase}"


def desert(canvas: Canvas) -> str:
    """Dunes and rocks."""
    rng = canvas.rng
    canvas.eye = 2.5
    backdrops.sky(canvas, rng.uniform(0.0, 0.3))
    rocky = bool(rng.random() < 0.5)
    if rocky:
        backdrops.mountains(canvas, height=0.35, snow=-1.0)
    grounds.sand(canvas, canvas.horizon / canvas.height)
    for start in (0.06, 0.3):
        grounds.sand(canvas, (row_at(canvas, start)) / canvas.height, tilt=rng.uniform(-0.25, 0.25))
    for share in np.sort(rng.uniform(0.4, 0.9, 3)):
        row = row_at(canvas, float(share))
        stone = things.boulder(rng, rng.uniform(0.8, 2.2) * canvas.metre(row))
        canvas.place(stone, rng.uniform(0.1, 0.9) * canvas.width, row, labels.ROCK)
    behind = " with bare mountains behind" if rocky else ""
    return f"rocks in the sand of a desert{behind} {canvas.light.phrase}"
