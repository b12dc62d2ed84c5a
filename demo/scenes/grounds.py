"""Grounds and walls: grass, sand, snow, roads, floors."""

import numpy as np
from PIL import Image, ImageDraw

from demo.scenes import labels
from demo.scenes.backdrops import below_line, ground_grid
from demo.scenes.canvas import Canvas
from demo.scenes.light import rgb
from demo.scenes.noise import Floats, field, line, sample, smoothstep, tile


def textured(canvas: Canvas, colour: Floats, *, rough: float, patches: float) -> Floats:
    """A plane of one colour in perspective, with grain close by and patches far away."""
    rng = canvas.rng
    depth, down, across = ground_grid(canvas)
    shift = rng.integers(512, size=2)
    fine = sample(tile(0.35, int(rng.integers(4))), down * 1.6 + shift[0], across * 1.1 + shift[1])
    broad = sample(tile(1.3, int(rng.integers(4))), down * 0.5 + shift[1], across * 0.25 + shift[0])
    change = rough * fine / (1.0 + 0.35 * (depth - 1.0)) + patches * broad
    colours = colour * (1.0 + np.clip(change, -0.6, 0.6))[..., None]
    air = smoothstep(3.0, 60.0, depth)[..., None] * 0.45
    return np.asarray(colours + (canvas.light.haze - colours) * air, dtype=np.float32)


def edge(canvas: Canvas, start: float, wander: float = 0.02, tilt: float = 0.0) -> Floats:
    """Rows (w,) of an irregular edge that crosses the canvas at `start` (share of the height)."""
    across = np.linspace(-0.5, 0.5, canvas.width, dtype=np.float32)
    shift = wander * line(canvas.rng, canvas.width, 1.5) + tilt * across
    return np.asarray((start + shift) * canvas.height, dtype=np.float32)


def grass(canvas: Canvas, start: float | None = None, *, colour: str = "#5f8238") -> None:
    """A meadow from row `start` (share of the height; the horizon if not given) down."""
    top = canvas.horizon / canvas.height if start is None else start
    coverage = below_line(canvas, edge(canvas, top, 0.006))
    base = rgb(colour)
    canvas.paint(labels.GRASS, textured(canvas, base, rough=0.22, patches=0.10), coverage)
    _blades(canvas, base, coverage)


def _blades(canvas: Canvas, base: Floats, coverage: Floats) -> None:
    rng = canvas.rng
    picture = Image.new("RGB", (canvas.width, canvas.height))
    mask = Image.new("L", picture.size)
    draw, cover = ImageDraw.Draw(picture), ImageDraw.Draw(mask)
    count = canvas.width * 9
    span = canvas.height - canvas.horizon
    rows = np.sort(canvas.horizon + span * rng.random(count) ** 0.7)
    columns = rng.uniform(0, canvas.width, count)
    lean = rng.normal(0.0, 0.35, count)
    tone = rng.normal(0.0, 0.20, (count, 1)) + rng.normal(0.0, 0.04, (count, 3))
    inks = np.clip(base * (1.05 + tone) * 255.0, 0, 255).astype(int)
    for x, y, dx, ink in zip(columns, rows, lean, inks, strict=True):
        tall = 1.0 + (y - canvas.horizon) / span * canvas.height * 0.035
        stroke = (x, y, x + dx * tall, y - tall)
        draw.line(stroke, fill=(int(ink[0]), int(ink[1]), int(ink[2])))
        cover.line(stroke, fill=210)
    blades = np.asarray(picture, dtype=np.float32) / 255.0
    visible = np.asarray(mask, dtype=np.float32) / 255.0 * coverage
    canvas.tint(blades, visible * (canvas.labels == labels.GRASS))


def sand(canvas: Canvas, start: float, *, tilt: float = 0.0, wet: bool = False) -> None:
    """Sand from `start` down; `wet` darkens its edge and adds foam along it."""
    rows = np.maximum(edge(canvas, start, 0.012, tilt), canvas.horizon)
    coverage = below_line(canvas, rows)
    tone = str(canvas.rng.choice(["#d8bf94", "#cfae82", "#dccba6", "#c9a777"]))
    colours = textured(canvas, rgb(tone), rough=0.09, patches=0.06)
    canvas.paint(labels.SAND, colours, coverage)
    if not wet:
        return
    lines = np.arange(canvas.height, dtype=np.float32)[:, None] - rows[None]
    reach = canvas.height * 0.05
    damp = np.exp(-np.maximum(lines, 0.0) / reach) * (lines > 0)
    canvas.tint(rgb(tone) * 0.62, (0.8 * damp).astype(np.float32))
    froth = field(canvas.rng, canvas.labels.shape, 0.8, (0.8, 2.0))
    for offset, thick in ((0.0, 0.010), (-0.035, 0.007), (-0.075, 0.005)):
        centre = offset * canvas.height
        ridge = np.exp(-(((lines - centre) / (thick * canvas.height)) ** 2))
        canvas.tint(rgb("#f4f6f4"), (ridge * smoothstep(-0.9, 0.6, froth)).astype(np.float32))


def snow(canvas: Canvas, start: float | None = None) -> None:
    """Snow with soft drifts."""
    top = canvas.horizon / canvas.height if start is None else start
    coverage = below_line(canvas, edge(canvas, top, 0.02))
    drifts = field(canvas.rng, canvas.labels.shape, 1.7, (1.0, 3.5))
    shade = np.gradient(drifts, axis=0)
    shade = 0.5 + 0.5 * np.clip(shade / (np.abs(shade).mean() * 3.0 + 1e-6), -1.0, 1.0)
    colours = rgb("#b9c9e2") + (rgb("#fbfcff") - rgb("#b9c9e2")) * (0.35 + 0.65 * shade)[..., None]
    sparkle = 0.02 * field(canvas.rng, canvas.labels.shape, 0.2)
    canvas.paint(labels.SNOW, np.asarray(colours + sparkle[..., None], np.float32), coverage)


def plane(canvas: Canvas, label: int, colour: str, start: float, *, rough: float = 0.15) -> None:
    """Any other ground (dirt, pavement, rug, playing field) of one colour."""
    coverage = below_line(canvas, edge(canvas, start, 0.004))
    canvas.paint(label, textured(canvas, rgb(colour), rough=rough, patches=0.07), coverage)


def strip(canvas: Canvas, middle: float, half: float, vanishing: float = 0.5) -> Floats:
    """Coverage (h, w) of a path to the vanishing point; positions are shares of the width."""
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    share = np.clip((rows - canvas.horizon) / (canvas.height - canvas.horizon), 0.0, 1.0)
    centre = (vanishing + (middle - vanishing) * share) * canvas.width
    reach = half * canvas.width * share
    across = np.arange(canvas.width, dtype=np.float32)[None]
    inside = np.clip(reach - np.abs(across - centre) + 0.5, 0.0, 1.0)
    return np.asarray(inside * (rows > canvas.horizon), dtype=np.float32)


def road(canvas: Canvas, *, half: float = 0.55, vanishing: float = 0.5) -> None:
    """An asphalt road to the horizon with its markings."""
    colours = textured(canvas, rgb("#63656a"), rough=0.12, patches=0.06)
    canvas.paint(labels.ROAD, colours, strip(canvas, 0.5, half, vanishing))
    depth = ground_grid(canvas)[0]
    dashes = (np.sin(depth * 5.0 + canvas.rng.uniform(0.0, 6.0)) > 0.0).astype(np.float32)
    canvas.tint(rgb("#e9e6d8"), strip(canvas, 0.5, half * 0.022, vanishing) * dashes * 0.9)
    for side in (-1.0, 1.0):
        position = 0.5 + side * half * 0.92
        canvas.tint(rgb("#dcdad0"), strip(canvas, position, half * 0.018, vanishing) * 0.85)


def path(canvas: Canvas, *, half: float = 0.22, vanishing: float = 0.5) -> None:
    """A dirt path to the horizon."""
    colours = textured(canvas, rgb("#a5875f"), rough=0.2, patches=0.1)
    canvas.paint(labels.DIRT, colours, strip(canvas, 0.5, half, vanishing))


def rails(canvas: Canvas, *, half: float = 0.26, vanishing: float = 0.5) -> None:
    """A railway track: ballast, sleepers and two rails, running to the horizon."""
    stones = textured(canvas, rgb("#857d74"), rough=0.42, patches=0.08)
    bed = strip(canvas, 0.5, half * 1.7, vanishing)
    canvas.paint(labels.RAILROAD, stones, bed)
    depth = ground_grid(canvas)[0]
    sleepers = smoothstep(0.0, 0.4, np.sin(depth * 22.0)) / (1.0 + 0.15 * (depth - 1.0))
    canvas.tint(rgb("#4d4038"), strip(canvas, 0.5, half * 1.25, vanishing) * sleepers * 0.9)
    for side in (-1.0, 1.0):
        position = 0.5 + side * half * 0.72
        canvas.tint(rgb("#3e3a38"), strip(canvas, position + 0.012, half * 0.06, vanishing))
        canvas.tint(rgb("#b4b3b5"), strip(canvas, position, half * 0.045, vanishing))


def wall(canvas: Canvas, colour: str, *, label: int = labels.WALL) -> None:
    """Paint the whole canvas as a wall, lit from one side."""
    shade = np.linspace(1.08, 0.78, canvas.width, dtype=np.float32)[None, :, None]
    shade = shade if canvas.light.from_left else shade[:, ::-1]
    grain = 1.0 + 0.02 * field(canvas.rng, canvas.labels.shape, 1.2)[..., None]
    colours = np.asarray(rgb(colour) * shade * grain, dtype=np.float32)
    canvas.paint(label, colours, np.ones(canvas.labels.shape, np.float32))


def wood(canvas: Canvas, label: int, start: float, colour: str) -> None:
    """Boards from row `start` down: a table top or a floor."""
    depth, down, across = ground_grid(canvas, round(start * canvas.height - 0.25 * canvas.height))
    grain = sample(tile(1.0, 2), across * 1.3 + 90.0, down * 0.12)
    fine = sample(tile(0.5, 1), across * 2.0, down * 0.2)
    board = np.floor(across / (canvas.width * 0.21))
    tone = 1.0 + 0.09 * np.sin(board * 12.9898) + 0.10 * grain + 0.04 * fine
    seam = np.abs(across / (canvas.width * 0.21) - board - 0.5) > 0.488
    colours = rgb(colour) * (tone * (1.0 - 0.45 * seam))[..., None]
    shine = np.exp(-((depth - 2.0) ** 2))[..., None] * 0.08
    coverage = below_line(canvas, np.full(canvas.width, start * canvas.height, np.float32))
    canvas.paint(label, np.asarray(colours + shine, np.float32), coverage)
