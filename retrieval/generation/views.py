"""Arrays as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.modalities.boxes import Box
from retrieval.report.painting import draw_boxes, nearness

# Nine points of viridis; between them colours are mixed.
_VIRIDIS = np.array(
    [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ],
    np.float64,
)
_PCA_SIDE = 224
_BOX_SIDE = 480


def depth_levels(depth: NDArray[Any]) -> NDArray[np.uint16]:
    """Depth (H, W) of any scale, stretched to all of 16 bits: the nearest is 0."""
    return np.round(_stretched(depth) * 65535).astype(np.uint16)


def depth_colours(depth: NDArray[Any]) -> Image.Image:
    """Depth (H, W), small values near, in colours: yellow is near, violet far.

    The lowest and highest hundredth of the values are cut off.
    """
    near = nearness(depth)
    at = np.linspace(0, 1, len(_VIRIDIS))
    mixed = [np.interp(near, at, _VIRIDIS[:, channel]) for channel in range(3)]
    return Image.fromarray(np.round(np.stack(mixed, axis=-1)).astype(np.uint8))


def main_components(features: NDArray[Any]) -> Image.Image:
    """Features (C, h, w) as a picture: their first three principal components as red, green, blue.

    Each component is stretched to its own range, so that colours of two pictures cannot be
    compared. Its direction is chosen so that its largest weight is positive.
    """
    channels, height, width = features.shape
    rows = features.reshape(channels, -1).T.astype(np.float64)
    _, _, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    directions = directions[:3]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    parts = (rows - rows.mean(axis=0)) @ (directions * np.where(signs == 0, 1, signs)[:, None]).T
    pixels = np.zeros((height * width, 3))
    for place in range(parts.shape[1]):
        pixels[:, place] = _stretched(parts[:, place])
    picture = Image.fromarray(np.round(pixels.reshape(height, width, 3) * 255).astype(np.uint8))
    scale = max(1, _PCA_SIDE // max(height, width))
    return picture.resize((width * scale, height * scale), Image.Resampling.NEAREST)


def masks_over(masks: Sequence[NDArray[Any]], ground: Image.Image | None) -> Image.Image:
    """Masks (H, W), one colour each, over a picture, which is fitted to them; None: on black."""
    height, width = masks[0].shape
    pixels = np.zeros((height, width, 3), np.float64)
    if ground is not None:
        fitted = ground.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        pixels = np.asarray(fitted, np.float64) * 0.6
    for number, mask in enumerate(masks):
        # Hues a golden angle apart: neighbours in the list differ most.
        hue = int(number * 157) % 256
        colour = Image.new("HSV", (1, 1), (hue, 200, 255)).convert("RGB").getpixel((0, 0))
        shown = np.asarray(mask) != 0
        pixels[shown] = 0.4 * pixels[shown] + 0.6 * np.array(colour, np.float64)
    return Image.fromarray(np.round(pixels).astype(np.uint8))


def boxes_over(boxes: Sequence[Box], ground: Image.Image | None) -> Image.Image:
    """Boxes with their names over a square picture, or on white; 480 x 480."""
    picture = Image.new("RGB", (_BOX_SIDE, _BOX_SIDE), "#ffffff")
    if ground is not None:
        picture.paste(ground.convert("RGB").resize(picture.size))
    draw_boxes(picture, boxes, halo=3)
    return picture


def _stretched(values: NDArray[Any]) -> NDArray[np.float64]:
    """Onto 0 .. 1; all 0 where all are equal."""
    numbers = np.asarray(values, np.float64)
    low, high = numbers.min(), numbers.max()
    if not high > low:
        return np.zeros_like(numbers)
    stretched: NDArray[np.float64] = (numbers - low) / (high - low)
    return stretched
