"""An object drawn in its own coordinates, shaded, with antialiased edges."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from demo.scenes.light import rgb
from demo.scenes.noise import Floats

#: Supersampling factor, which smooths the edges.
OVERSAMPLING = 3

Point = tuple[float, float]
Colour = str | Floats


def _eight_bit(colour: Colour) -> tuple[int, int, int]:
    values = rgb(colour) if isinstance(colour, str) else colour
    red, green, blue = (int(v) for v in np.clip(values * 255.0, 0, 255))
    return red, green, blue


class Sprite:
    """A drawing whose y axis points up, whose origin is where it stands, in units of `unit` pixels.

    `box` is (left, bottom, right, top) in units. Later strokes cover earlier ones.
    """

    def __init__(
        self, unit: float, box: tuple[float, float, float, float], *, roundness: float = 0.35
    ) -> None:
        self.unit = max(unit, 2.0)
        self.left, self.bottom, self.right, self.top = box
        self.roundness = roundness
        scale = self.unit * OVERSAMPLING
        size = (
            max(OVERSAMPLING, round((self.right - self.left) * scale)),
            max(OVERSAMPLING, round((self.top - self.bottom) * scale)),
        )
        self._scale = scale
        self._colours = Image.new("RGB", size)
        self._glow = Image.new("RGB", size)
        self._coverage = Image.new("L", size)
        self._draws = [ImageDraw.Draw(i) for i in (self._colours, self._coverage, self._glow)]

    @property
    def origin_x(self) -> float:
        """Position of the origin in pixels from the left edge of the rendered sprite."""
        return -self.left * self.unit

    @property
    def origin_y(self) -> float:
        """Position of the origin in pixels from the upper edge of the rendered sprite."""
        return self.top * self.unit

    @property
    def foot_width(self) -> float:
        """Width of the lowest fifth in pixels."""
        columns = self._foot()
        return float(np.ptp(columns)) / OVERSAMPLING if len(columns) else 0.0

    @property
    def foot_shift(self) -> float:
        """Centre of the lowest fifth in pixels right of the origin."""
        columns = self._foot()
        if not len(columns):
            return 0.0
        return float(columns.min() + columns.max()) / 2.0 / OVERSAMPLING - self.origin_x

    def polygon(self, points: Sequence[Point], colour: Colour, *, glow: Colour = "#000000") -> None:
        """A filled polygon."""
        corners = [self._at(p) for p in points]
        for draw, ink in self._inks(colour, glow):
            draw.polygon(corners, fill=ink)

    def curve(self, points: Sequence[Point], colour: Colour, *, glow: Colour = "#000000") -> None:
        """A filled closed curve that passes smoothly through the points."""
        p1 = np.asarray(points, dtype=np.float64)
        p0, p2, p3 = np.roll(p1, 1, 0), np.roll(p1, -1, 0), np.roll(p1, -2, 0)
        t = np.linspace(0.0, 1.0, 8, endpoint=False)[None, :, None]
        a, b, c, d = (p[:, None] for p in (p0, p1, p2, p3))
        bent = 0.5 * (
            2 * b
            + (c - a) * t
            + (2 * a - 5 * b + 4 * c - d) * t**2
            + (3 * b - a - 3 * c + d) * t**3
        )
        self.polygon([(float(x), float(y)) for x, y in bent.reshape(-1, 2)], colour, glow=glow)

    def oval(
        self, centre: Point, rx: float, ry: float, colour: Colour, *, glow: Colour = "#000000"
    ) -> None:
        """A filled ellipse."""
        x, y = self._at(centre)
        bx, by = rx * self._scale, ry * self._scale
        for draw, ink in self._inks(colour, glow):
            draw.ellipse((x - bx, y - by, x + bx, y + by), fill=ink)

    def limb(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A curved stroke with round ends."""
        corners = [self._at(p) for p in points]
        stroke = max(1, round(width * self._scale))
        for draw, ink in self._inks(colour, "#000000"):
            draw.line(corners, fill=ink, width=stroke, joint="curve")
            for x, y in corners:
                r = stroke / 2.0
                draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)

    def block(
        self, box: tuple[float, float, float, float], colour: Colour, *, glow: Colour = "#000000"
    ) -> None:
        """A filled rectangle (left, bottom, right, top)."""
        left, bottom, right, top = box
        self.polygon(
            [(left, bottom), (right, bottom), (right, top), (left, top)], colour, glow=glow
        )

    def rendered(self, from_left: bool) -> tuple[Floats, Floats, Floats]:
        """Colours (h, w, 3), coverage (h, w) and glow (h, w, 3), all in 0..1."""
        width, height = (max(1, round(n / OVERSAMPLING)) for n in self._colours.size)
        # Premultiplied, so that the black behind the drawing does not darken its edges.
        shape = np.asarray(self._coverage.reduce(OVERSAMPLING), dtype=np.float32) / 255.0
        shape = np.asarray(
            Image.fromarray(shape).resize((width, height), Image.Resampling.BILINEAR)
        )
        divisor = np.maximum(shape, 1e-3)[..., None]
        colours = self._small(self._colours, (width, height)) / divisor
        glow = self._small(self._glow, (width, height)) / divisor
        if self.roundness > 0.0:
            colours = colours * self._relief(shape, from_left)[..., None]
        return np.clip(colours, 0.0, 1.0), shape, np.clip(glow, 0.0, 1.0)

    def _relief(self, shape: Floats, from_left: bool) -> Floats:
        radius = max(1.0, 0.05 * min(shape.shape))
        padded = np.pad(shape, 2)
        blurred = Image.fromarray((padded * 255).astype(np.uint8))
        soft = np.asarray(blurred.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255.0
        down, across = np.gradient(soft)
        slope = down * 0.9 + across * (0.8 if from_left else -0.8)
        relief = np.clip(1.0 + slope[2:-2, 2:-2] * radius * 2.2 * self.roundness, 0.45, 1.5)
        return np.asarray(relief, dtype=np.float32)

    @staticmethod
    def _small(image: Image.Image, size: tuple[int, int]) -> Floats:
        reduced = image.reduce(OVERSAMPLING).resize(size, Image.Resampling.BILINEAR)
        return np.asarray(reduced, dtype=np.float32) / 255.0

    def _foot(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        foot_row = min(self._coverage.height, round(self.top * self._scale))
        first = round(foot_row * 0.8)
        rows = np.asarray(self._coverage)[first:foot_row]
        return np.flatnonzero(rows.any(axis=0)) if rows.size else np.zeros(0, np.intp)

    def _at(self, point: Point) -> Point:
        return (point[0] - self.left) * self._scale, (self.top - point[1]) * self._scale

    def _inks(
        self, colour: Colour, glow: Colour
    ) -> list[tuple[ImageDraw.ImageDraw, tuple[int, int, int] | int]]:
        inks: list[tuple[int, int, int] | int] = [_eight_bit(colour), 255, _eight_bit(glow)]
        return list(zip(self._draws, inks, strict=True))
