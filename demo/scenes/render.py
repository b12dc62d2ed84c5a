"""Rendering a scene from a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from demo.scenes import landscapes, rooms, towns
from demo.scenes.canvas import Canvas
from demo.scenes.light import Hour, light_of

#: Paints one scene and returns its caption.
Painter = Callable[[Canvas], str]

_ALL: Final[tuple[Hour, ...]] = ("day", "day", "sunset", "overcast", "night")
_BRIGHT: Final[tuple[Hour, ...]] = ("day", "day", "day", "overcast", "sunset")
_DAY: Final[tuple[Hour, ...]] = ("day", "day", "overcast")
_INDOORS: Final[tuple[Hour, ...]] = ("day",)

#: Of each kind of scene: its painter, times of day and heights of the horizon.
_RECIPES: Final[dict[str, tuple[Painter, tuple[Hour, ...], tuple[float, float]]]] = {
    "beach": (landscapes.beach, _BRIGHT, (0.42, 0.5)),
    "sailing": (landscapes.sailing, _ALL, (0.5, 0.62)),
    "open_sea": (landscapes.open_sea, _BRIGHT, (0.45, 0.65)),
    "lake": (landscapes.lake, _BRIGHT, (0.48, 0.58)),
    "alpine_snow": (landscapes.alpine_snow, _DAY, (0.45, 0.55)),
    "pasture": (landscapes.pasture, _BRIGHT, (0.36, 0.48)),
    "park": (landscapes.park, _DAY, (0.42, 0.5)),
    "forest_path": (landscapes.forest_path, _DAY, (0.42, 0.5)),
    "flower_field": (landscapes.flower_field, _BRIGHT, (0.35, 0.5)),
    "kites": (landscapes.kites, _DAY, (0.62, 0.72)),
    "desert": (landscapes.desert, _BRIGHT, (0.4, 0.55)),
    "country_road": (towns.country_road, _ALL, (0.42, 0.52)),
    "city_street": (towns.city_street, ("day", "overcast", "night"), (0.46, 0.52)),
    "house_in_garden": (towns.house_in_garden, ("day", "day", "overcast", "night"), (0.5, 0.58)),
    "night_city": (towns.night_city, ("night",), (0.55, 0.68)),
    "flying": (towns.flying, _BRIGHT, (0.6, 0.7)),
    "railway": (towns.railway, _DAY, (0.4, 0.5)),
    "football": (towns.football, _DAY, (0.36, 0.44)),
    "still_life": (rooms.still_life, _INDOORS, (0.3, 0.35)),
    "living_room": (rooms.living_room, _INDOORS, (0.5, 0.55)),
}

KINDS: Final[tuple[str, ...]] = tuple(_RECIPES)


@dataclass(frozen=True)
class RenderedScene:
    """An image with its ground truth.

    `image` is RGB; `mask` uint8 (height, width) of COCO panoptic category ids, 0 for no class.
    """

    image: Image.Image
    mask: npt.NDArray[np.uint8]
    caption: str
    kind: str


def render_scene(
    seed: int, size: tuple[int, int] = (480, 360), kind: str | None = None
) -> RenderedScene:
    """Paint the scene of `seed`, `size` (width, height) pixels; reproducible.

    Without `kind`, one of KINDS: consecutive seeds go through all of them in turn.
    Raises ValueError for an unknown kind.
    """
    kind = KINDS[seed % len(KINDS)] if kind is None else kind
    if kind not in _RECIPES:
        raise ValueError(f"unknown kind of scene {kind!r}; known: {', '.join(KINDS)}")
    paint, hours, (low, high) = _RECIPES[kind]
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    light = light_of(hours[int(rng.integers(len(hours)))], rng)
    canvas = Canvas.blank(rng, size, light, float(rng.uniform(low, high)))
    caption = paint(canvas)
    return RenderedScene(canvas.finish(), canvas.labels, caption, kind)
