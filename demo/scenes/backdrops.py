"""Backgrounds: sky, mountains and water."""

import numpy as np

from demo.scenes import labels
from demo.scenes.canvas import Canvas
from demo.scenes.light import rgb
from demo.scenes.noise import Floats, field, line, sample, smoothstep, tile


def _between(first: Floats, second: Floats, share: Floats) -> Floats:
    return np.asarray(first + (second - first) * share[..., None], dtype=np.float32)


def ground_grid(canvas: Canvas, below: int | None = None) -> tuple[Floats, Floats, Floats]:
    """Depth, and world coordinates (down, across), of each pixel of a plane seen in perspective.

    Depth is 1 at the lower edge of the canvas and grows towards the horizon. Pixels above the
    horizon (or row `below`) have the depth of the last row.
    """
    horizon = canvas.horizon if below is None else below
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    depth = (canvas.height - horizon + 1.0) / np.maximum(rows - horizon + 1.0, 1.0)
    across = (np.arange(canvas.width, dtype=np.float32)[None] - canvas.width / 2.0) * depth
    down = np.broadcast_to(depth * canvas.height * 0.9, across.shape)
    return np.broadcast_to(depth, across.shape), np.asarray(down, dtype=np.float32), across


def below_line(canvas: Canvas, rows: Floats) -> Floats:
    """Coverage (h, w) of the pixels below the row (w,) given for each column."""
    lines = np.arange(canvas.height, dtype=np.float32)[:, None]
    return np.asarray(np.clip(lines - rows[None] + 0.5, 0.0, 1.0), dtype=np.float32)


def sky(canvas: Canvas, clouds: float = 0.5, *, sun: bool = True) -> None:
    """Paint the whole canvas as sky; `clouds` is the cloud cover, 0..1."""
    light, rng = canvas.light, canvas.rng
    reach = max(canvas.horizon, 1)
    height = np.clip(np.arange(canvas.height, dtype=np.float32) / reach, 0.0, 1.0)[:, None]
    height = np.broadcast_to(height, canvas.labels.shape)
    canvas.paint(
        labels.SKY,
        _between(light.sky_high, light.sky_low, height**1.5),
        np.ones(canvas.labels.shape, np.float32),
    )
    centre = canvas.width * rng.uniform(0.2, 0.8)
    if sun and light.hour in ("sunset", "night"):
        _sun_or_moon(canvas, centre)
    _clouds(canvas, clouds)


def _sun_or_moon(canvas: Canvas, centre: float) -> None:
    night = canvas.light.hour == "night"
    row = canvas.horizon * (canvas.rng.uniform(0.15, 0.45) if night else 0.88)
    radius = canvas.height * (0.035 if night else 0.05)
    down = np.arange(canvas.height, dtype=np.float32)[:, None] - row
    across = np.arange(canvas.width, dtype=np.float32)[None] - centre
    distance = np.hypot(down, across)
    disc = smoothstep(radius + 1.2, radius - 1.2, distance)
    if night:
        face = 0.85 + 0.06 * field(canvas.rng, canvas.labels.shape, 1.6, (0.2, 0.2))
        canvas.glow += disc[..., None] * rgb("#f4efdc") * face[..., None]
        canvas.glow += np.exp(-distance / (radius * 3.0))[..., None] * rgb("#3c4a72") * 0.6
        stars = canvas.rng.random(canvas.labels.shape) > 0.9975
        bright = canvas.rng.uniform(0.3, 1.0, canvas.labels.shape)
        canvas.glow += (stars * bright * (down < canvas.horizon - row))[..., None].astype(
            np.float32
        )
        return
    canvas.glow += disc[..., None] * rgb("#fff3c8")
    canvas.glow += np.exp(-distance / (radius * 2.2))[..., None] * rgb("#ff9a48") * 0.75
    canvas.glow += np.exp(-np.abs(down) / (canvas.height * 0.06))[..., None] * rgb("#ff7a3c") * 0.25


def _clouds(canvas: Canvas, amount: float) -> None:
    light = canvas.light
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    near = canvas.height * 0.9 / (np.maximum(canvas.horizon - rows, 0.0) + canvas.height * 0.16)
    near = np.broadcast_to(near, canvas.labels.shape)
    across = (np.arange(canvas.width, dtype=np.float32)[None] - canvas.width / 2) * near * 0.55
    shift = canvas.rng.integers(512, size=2)
    source = tile(1.5, int(canvas.rng.integers(4)))
    density = sample(source, near * 120.0 + shift[0], across + shift[1])
    lower = sample(source, near * 120.0 + shift[0] + 14, across + shift[1])
    threshold = 1.5 - 2.4 * amount
    covered = smoothstep(threshold, threshold + 1.1, density)
    lit = smoothstep(-0.8, 0.9, density - lower * 0.7)
    strength = 0.95 if light.hour != "night" else 0.6
    fade = smoothstep(0.0, canvas.horizon * 0.25, np.maximum(canvas.horizon - rows, 0.0))
    canvas.tint(
        _between(light.cloud_dark, light.cloud, lit), covered * strength * (0.4 + 0.6 * fade)
    )
    canvas.glow *= (1.0 - 0.5 * covered)[..., None]


def mountains(canvas: Canvas, *, height: float = 0.5, snow: float = 0.5, layers: int = 2) -> None:
    """Ridges on the horizon, `height` as a share of the sky, the nearest last."""
    rng = canvas.rng
    rock = rgb(str(rng.choice(["#5d6470", "#6b6259", "#56616b", "#70685e"])))
    for layer in range(layers):
        near = (layer + 1) / layers
        tall = canvas.horizon * height * (1.0 - 0.45 * (near - 1.0 / layers))
        # Ridged noise, 1 - |line|: peaks lie at the zeros of the line.
        peaks = 1.0 - 2.0 * np.abs(line(rng, canvas.width, 0.75))
        jag = field(rng, (2, canvas.width), 0.9, (1.0, 1.5))[0]
        ridge = canvas.horizon - tall * (0.6 + 0.4 * peaks) - 1.2 * jag
        coverage = below_line(canvas, np.asarray(ridge, np.float32))
        folds = field(rng, canvas.labels.shape, 1.55, (0.55, 0.4))
        slope = np.gradient(folds, axis=1) * (1.0 if canvas.light.from_left else -1.0)
        slope += 0.5 * np.gradient(folds, axis=0)
        shade = np.clip(0.88 + 0.2 * slope / slope.std(), 0.4, 1.3)
        rows = np.arange(canvas.height, dtype=np.float32)[:, None]
        drop = (rows - ridge[None]) / max(tall, 1.0)
        white = smoothstep(0.08, -0.08, drop - snow * 0.6 + 0.14 * folds)
        foot = smoothstep(0.45, 0.95, drop + 0.1 * folds)
        colours = _between(rock, rgb("#4b5d43"), foot)
        colours = _between(colours, rgb("#f3f6fb"), white) * shade[..., None]
        air = 0.55 - 0.42 * near
        canvas.paint(
            labels.MOUNTAIN,
            colours + (canvas.light.haze - colours) * air,
            coverage * (rows < canvas.horizon + 3),
        )


def far_trees(canvas: Canvas, *, height: float = 0.12) -> None:
    """A forest along the horizon."""
    rng = canvas.rng
    tops = canvas.horizon * height * (0.75 + 0.25 * line(rng, canvas.width))
    crowns = field(rng, (2, canvas.width), 0.7, (1.0, 3.0))[0] * canvas.horizon * height * 0.16
    coverage = below_line(canvas, np.asarray(canvas.horizon - tops - np.abs(crowns), np.float32))
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    leaves = field(rng, canvas.labels.shape, 0.8, (1.6, 1.6))
    green = rgb(str(rng.choice(["#33502f", "#3c5a35", "#46603a", "#2d4630"])))
    colours = green * (1.0 + 0.22 * leaves)[..., None]
    colours = colours + (canvas.light.haze - colours) * 0.22
    canvas.paint(labels.TREE, colours, coverage * (rows < canvas.horizon + 2))


def water(canvas: Canvas, label: int, *, calm: float = 0.5, deep: str = "#1d5a7d") -> None:
    """Paint everything below the horizon as water that reflects the sky and the sun."""
    light, rng = canvas.light, canvas.rng
    depth, down, across = ground_grid(canvas)
    source = tile(0.9, int(rng.integers(4)))
    shift = rng.integers(512, size=2)
    long_waves = sample(source, down * 0.35 + shift[0], across * 0.05 + shift[1])
    short_waves = sample(source, down * 0.8 + shift[1], across * 0.22 + shift[0])
    waves = (long_waves + 0.6 * short_waves) * (1.0 - 0.6 * calm)
    share = smoothstep(1.0, 9.0, depth)
    mirrored = light.sky_low * 0.55 + light.sky_high * 0.45
    body = rgb(deep) * (0.35 if light.hour == "night" else 1.0)
    base = _between(body * 0.75 + mirrored * 0.25, body * 0.3 + mirrored * 0.7, share)
    slope = np.clip(waves, -2.2, 2.2)[..., None] * 0.10
    colours = base * (1.0 + slope) + np.clip(waves - 1.0, 0.0, 1.0)[..., None] * light.sky_low * 0.3
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    coverage = np.clip(rows - canvas.horizon + 0.5, 0.0, 1.0) * np.ones((1, canvas.width))
    above = canvas.glow[: canvas.horizon].sum(axis=(0, 2))
    shining = light.hour in ("sunset", "night") and above.max() > 1.0
    centre = int(above.argmax())
    canvas.paint(label, np.clip(colours, 0.0, 1.0), coverage.astype(np.float32))
    if shining:
        off = np.abs(np.arange(canvas.width, dtype=np.float32) - centre)[None]
        band = np.exp(-((off / (canvas.width * 0.03 + (rows - canvas.horizon) * 0.22)) ** 2))
        glitter = smoothstep(0.1, 1.3, waves + 0.4) * band * (rows > canvas.horizon)
        gold = rgb("#ffc27a") if light.hour == "sunset" else rgb("#8f9bc0")
        canvas.glow += glitter[..., None] * gold * 0.75
