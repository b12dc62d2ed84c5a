"""Indoor scenes."""

import numpy as np

from demo.scenes import grounds, labels, plants, tableware, things
from demo.scenes.canvas import Canvas
from demo.scenes.sprite import Sprite
from demo.scenes.standing import BRIGHT


def still_life(canvas: Canvas) -> str:
    """Fruit and dishes on a table."""
    rng, size = canvas.rng, canvas.height
    grounds.wall(canvas, str(rng.choice(["#cfc6b4", "#8fa3ad", "#b7a88f", "#6f7d78", "#d8cfc4"])))
    start = rng.uniform(0.5, 0.6)
    grounds.wood(canvas, labels.TABLE, start, str(rng.choice(["#9a6a3f", "#7a4d2c", "#b98a58"])))
    said: list[str] = []
    if rng.random() < 0.45:
        bottle = tableware.bottle(rng, 0.62 * size)
        canvas.place(bottle, 0.24 * canvas.width, 0.72 * size, labels.BOTTLE, shadow=0.7)
        said.append("a wine bottle")
    if rng.random() < 0.45:
        colour = str(rng.choice(list(tableware.CHINA)))
        mug = tableware.mug(0.26 * size, colour)
        canvas.place(mug, 0.78 * canvas.width, 0.74 * size, labels.CUP, shadow=0.7, grain=0.01)
        said.append(f"a {colour} mug")
    fruit, label, one, many = (
        (tableware.APPLE, labels.APPLE, "an apple", "apples"),
        (tableware.ORANGE, labels.ORANGE, "an orange", "oranges"),
    )[int(rng.integers(2))]
    radius = 0.105 * size
    if rng.random() < 0.4:
        colour = str(rng.choice(list(tableware.CHINA)))
        middle, row = 0.52 * canvas.width, 0.84 * size
        for dx, dy in ((-0.9, 0.0), (0.9, 0.0), (0.0, 0.25), (-0.4, -0.75), (0.5, -0.7)):
            place = (middle + dx * radius, row - 1.55 * radius + dy * radius * 0.6)
            tableware.round_fruit(canvas, fruit, label, *place, radius)
        bowl = tableware.bowl(5.0 * radius, colour)
        canvas.place(bowl, middle, row, labels.BOWL, shadow=0.8, grain=0.01)
        said.append(f"{many} in a {colour} bowl")
    else:
        count = int(rng.integers(1, 4))
        for x in np.linspace(0.42, 0.64, count) if count > 1 else np.array([0.52]):
            place = (float(x) * canvas.width, rng.uniform(0.82, 0.9) * size)
            tableware.round_fruit(canvas, fruit, label, *place, radius)
        said.append(one if count == 1 else f"{('two', 'three')[count - 2]} {many}")
    if rng.random() < 0.35:
        bunch = tableware.banana(rng, 0.36 * canvas.width)
        canvas.place(bunch, 0.24 * canvas.width, 0.93 * size, labels.BANANA, shadow=0.7)
        said.append("bananas")
    listed = said[0] if len(said) == 1 else ", ".join(said[:-1]) + " and " + said[-1]
    return f"{listed} on a wooden table"


def living_room(canvas: Canvas) -> str:
    """A couch, a plant and a window."""
    rng, size = canvas.rng, canvas.height
    paint = ("#d9d2c3", "#b9c6c4", "#c9b8a4", "#a8b0b8", "#e0dcd2")
    grounds.wall(canvas, str(rng.choice(paint)))
    grounds.wood(
        canvas, labels.FLOOR_WOOD, 0.72, str(rng.choice(["#8f6542", "#a87b50", "#6d4a30"]))
    )
    pane = things.window(0.24 * canvas.width)
    side = float(rng.choice([0.22, 0.74]))
    canvas.place(pane, side * canvas.width, 0.5 * size, labels.WINDOW, shadow=0.0, grain=0.0)
    rug = Sprite(canvas.width, (-0.45, -0.09, 0.45, 0.09), roundness=0.0)
    rug.oval((0.0, 0.0), 0.42, 0.075, str(rng.choice(["#a8584a", "#c9bfa8", "#4f6478"])))
    canvas.place(rug, 0.5 * canvas.width, 0.9 * size, labels.RUG, shadow=0.0, grain=0.12)
    colour = str(rng.choice([*BRIGHT, "grey", "brown"]))
    shades = {"red": "#9c3a33", "blue": "#3b5878", "yellow": "#c79a35", "green": "#4f6b55",
              "grey": "#8b8c8e", "brown": "#6b4a35"}  # fmt: skip
    couch = things.couch(0.62 * canvas.width, shades[colour])
    canvas.place(couch, 0.5 * canvas.width, 0.82 * size, labels.COUCH, shadow=0.8)
    plant = plants.potted(rng, 0.5 * size)
    canvas.place(plant, (0.9 if side < 0.5 else 0.1) * canvas.width, 0.84 * size,
                 labels.POTTED_PLANT, shadow=0.6)  # fmt: skip
    return f"a {colour} couch on a rug and a potted plant in a living room"
