"""Transparent images, over a background against which their content can be seen."""

from __future__ import annotations

import numpy as np
from PIL import Image

WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
_VISIBLE_ALPHA = 16
_CONTRAST = 32
_ENOUGH = 0.25
_SIDE = 256


def over_background(image: Image.Image) -> Image.Image:
    """An image with transparency as RGB.

    An alpha that is 0 everywhere is no alpha. The background is white; where less than a quarter of
    the content stands out from white, it is black or grey, whichever shows more.
    """
    rgba = image.convert("RGBA")
    low, high = rgba.getchannel("A").getextrema()
    if (low, high) == (255, 255) or high == 0:
        return rgba.convert("RGB")
    base = Image.new("RGBA", rgba.size, (*background_of(rgba), 255))
    return Image.alpha_composite(base, rgba).convert("RGB")


def background_of(rgba: Image.Image) -> tuple[int, int, int]:
    """White, black or grey, as `over_background` chooses."""
    small = rgba
    if (longest := max(rgba.size)) > _SIDE:
        width, height = (max(1, side * _SIDE // longest) for side in rgba.size)
        small = rgba.resize((width, height), Image.Resampling.NEAREST)
    pixels = np.asarray(small).reshape(-1, 4).astype(np.int32)
    content = pixels[pixels[:, 3] >= _VISIBLE_ALPHA]
    if not len(content):
        return WHITE
    shown = {colour: _share_seen(content, colour) for colour in (WHITE, BLACK, GREY)}
    return WHITE if shown[WHITE] >= _ENOUGH else max(shown, key=shown.__getitem__)


def _share_seen(content: np.ndarray, colour: tuple[int, int, int]) -> float:
    """Share of the content that differs from a background once it lies over it."""
    differences = np.abs(content[:, :3] - np.array(colour)).max(axis=1) * content[:, 3] / 255
    return float((differences >= _CONTRAST).mean())
