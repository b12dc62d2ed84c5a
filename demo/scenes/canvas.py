"""The canvas of a scene: colours and labels, painted together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from demo.scenes.light import Light
from demo.scenes.noise import Floats, field
from demo.scenes.sprite import Sprite


@dataclass
class Canvas:
    """An image while it is painted.

    `colours` is float32 (height, width, 3) in 0..1, `labels` uint8 (height, width) of COCO panoptic
    ids, `glow` emitted light, which is added after the scene is lit.
    """

    colours: Floats
    labels: npt.NDArray[np.uint8]
    glow: Floats
    light: Light
    rng: np.random.Generator
    horizon: int
    eye: float = 2.0

    @classmethod
    def blank(
        cls, rng: np.random.Generator, size: tuple[int, int], light: Light, horizon: float
    ) -> "Canvas":
        """An empty canvas of `size` (width, height); `horizon` is a share of the height."""
        width, height = size
        return cls(
            colours=np.zeros((height, width, 3), np.float32),
            labels=np.zeros((height, width), np.uint8),
            glow=np.zeros((height, width, 3), np.float32),
            light=light,
            rng=rng,
            horizon=round(horizon * height),
        )

    @property
    def width(self) -> int:
        return int(self.labels.shape[1])

    @property
    def height(self) -> int:
        return int(self.labels.shape[0])

    def metre(self, row: float) -> float:
        """Pixels per metre for an object that stands on row `row` of the ground."""
        return max(row - self.horizon, 1.0) / self.eye

    def paint(self, label: int, colours: Floats, coverage: Floats) -> None:
        """Blend `colours` (h, w, 3) or (3,) over the canvas with opacity `coverage` (h, w)."""
        alpha = np.clip(coverage, 0.0, 1.0)[..., None]
        self.colours += (colours - self.colours) * alpha
        self.glow *= 1.0 - alpha
        self.labels[coverage > 0.5] = label

    def tint(self, colours: Floats, coverage: Floats) -> None:
        """Change colours, but not labels."""
        alpha = np.clip(coverage, 0.0, 1.0)[..., None]
        self.colours += (colours - self.colours) * alpha

    def place(
        self,
        sprite: Sprite,
        x: float,
        y: float,
        label: int,
        *,
        shadow: float = 0.45,
        haze: float = 0.0,
        grain: float = 0.05,
        reflection: float = 0.0,
    ) -> None:
        """Paste a sprite with its origin at pixel (x, y).

        `shadow` is the darkness of what it throws on the ground, `haze` the share of air between,
        `grain` the strength of its surface noise, `reflection` how much water below mirrors it.
        """
        colours, coverage, glow = sprite.rendered(self.light.from_left)
        height, width = coverage.shape
        left = round(x - sprite.origin_x)
        top = round(y - sprite.origin_y)
        if reflection > 0.0:
            self._mirror(colours, coverage, left, round(y), round(sprite.origin_y), reflection)
        elif shadow > 0.0:
            self._shadow(sprite, x, y, shadow * self.light.shadow)
        if grain > 0.0:
            noise = field(self.rng, (height, width), slope=1.2)
            colours = np.clip(colours * (1.0 + grain * noise[..., None]), 0.0, 1.0)
        colours = colours + (self.light.haze - colours) * haze
        window = self._window(left, top, width, height)
        if window is None:
            return
        rows, columns, own_rows, own_columns = window
        alpha = coverage[own_rows, own_columns]
        under = self.colours[rows, columns]
        under += (colours[own_rows, own_columns] - under) * alpha[..., None]
        lit = self.glow[rows, columns]
        lit += (glow[own_rows, own_columns] - lit) * alpha[..., None]
        self.labels[rows, columns][alpha > 0.5] = label

    def finish(self) -> Image.Image:
        """The finished image: lighting, blur and noise applied."""
        rng = self.rng
        out = self.colours * self.light.tint + self.glow
        across = np.linspace(-1.0, 1.0, self.width, dtype=np.float32)[None]
        down = np.linspace(-1.0, 1.0, self.height, dtype=np.float32)[:, None]
        out = out * (1.0 - 0.13 * (across**2 + down**2))[..., None]
        out = np.clip(out, 0.0, 1.0)
        out = out + (out * out * (3.0 - 2.0 * out) - out) * 0.2
        grey = out.mean(axis=2, keepdims=True)
        out = grey + (out - grey) * 0.85
        picture = Image.fromarray((out * 255.0).astype(np.uint8))
        soft = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.55)), dtype=np.float32)
        grainy = soft + rng.normal(0.0, 2.6, soft.shape[:2])[..., None]
        return Image.fromarray(np.clip(grainy, 0.0, 255.0).astype(np.uint8))

    def _window(
        self, left: int, top: int, width: int, height: int
    ) -> tuple[slice, slice, slice, slice] | None:
        right, bottom = min(left + width, self.width), min(top + height, self.height)
        first_x, first_y = max(left, 0), max(top, 0)
        if right <= first_x or bottom <= first_y:
            return None
        return (
            slice(first_y, bottom),
            slice(first_x, right),
            slice(first_y - top, bottom - top),
            slice(first_x - left, right - left),
        )

    def _shadow(self, sprite: Sprite, x: float, y: float, strength: float) -> None:
        half = sprite.foot_width / 2.0
        if half < 1.0:
            return
        thick = max(half * 0.22, 1.0)
        shift = half * 0.25 * (1.0 if self.light.from_left else -1.0)
        first = max(0, int(y - 3 * thick))
        rows = np.arange(first, min(self.height, int(y + 3 * thick) + 1), dtype=np.float32)
        down = (rows - y)[:, None] / thick
        centre = x + sprite.foot_shift + shift
        across = (np.arange(self.width, dtype=np.float32) - centre)[None]
        distance = (across / (half * 1.1)) ** 2 + down**2
        dark = strength * np.exp(-distance * 1.4)
        self.colours[first : first + len(rows)] *= (1.0 - dark)[..., None]

    def _mirror(
        self, colours: Floats, coverage: Floats, left: int, foot: int, above: int, strength: float
    ) -> None:
        flipped = np.ascontiguousarray(colours[:above][::-1])
        alpha = coverage[:above][::-1].copy()
        rows = np.arange(alpha.shape[0])
        wobble = (self.rng.normal(0.0, 1.0, len(rows)) * (0.6 + rows * 0.05)).astype(int)
        for row, step in enumerate(wobble):
            alpha[row] = np.roll(alpha[row], step)
        fade = strength * np.linspace(1.0, 0.15, len(rows), dtype=np.float32)[:, None]
        window = self._window(left, foot, alpha.shape[1], alpha.shape[0])
        if window is None:
            return
        down, across, own_rows, own_columns = window
        share = (alpha * fade)[own_rows, own_columns]
        under = self.colours[down, across]
        under += (flipped[own_rows, own_columns] * 0.75 - under) * share[..., None]
