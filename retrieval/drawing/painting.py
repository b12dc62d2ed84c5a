"""Arrays, boxes and masks as images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fourm.modalities.boxes import Box
from retrieval.drawing.panel import PANEL_SIDE
from retrieval.modalities.panoptic import coco_panoptic

# Nine points of viridis; colours between them are mixed.
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
_FEATURES_SIDE = 224


def nearness(depth: NDArray[Any]) -> NDArray[np.float64]:
    """Depth (H, W), small values near, as 1 for near .. 0 for far; all 1 where it is flat.

    Values below the 1st and above the 99th percentile are clipped.
    """
    numbers = np.asarray(depth, np.float64)
    low, high = np.percentile(numbers, (1, 99))
    if not high > low:
        return np.ones(numbers.shape)
    near: NDArray[np.float64] = 1 - np.clip((numbers - low) / (high - low), 0, 1)
    return near


def depth_levels(depth: NDArray[Any]) -> NDArray[np.uint16]:
    """Depth (H, W) of any scale, stretched to all of 16 bits: the nearest is 0."""
    return np.round(_stretched(depth) * 65535).astype(np.uint16)


def depth_colours(depth: NDArray[Any]) -> Image.Image:
    """Depth (H, W), small values near, in colours: yellow is near, violet far.

    Values below the 1st and above the 99th percentile are clipped.
    """
    near = nearness(depth)
    at = np.linspace(0, 1, len(_VIRIDIS))
    mixed = [np.interp(near, at, _VIRIDIS[:, channel]) for channel in range(3)]
    return Image.fromarray(np.round(np.stack(mixed, axis=-1)).astype(np.uint8))


def main_components(features: NDArray[Any]) -> Image.Image:
    """Features (C, h, w) as an image: their first three principal components as red, green, blue.

    Each component is stretched to its own range, so that colours of two images cannot be compared.
    Its sign is such that its largest weight is positive.
    """
    channels, height, width = features.shape
    rows = features.reshape(channels, -1).T.astype(np.float64)
    _, _, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    directions = directions[:3]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    parts = (rows - rows.mean(axis=0)) @ (directions * np.where(signs == 0, 1, signs)[:, None]).T
    pixels = np.zeros((height * width, 3))
    for channel in range(parts.shape[1]):
        pixels[:, channel] = _stretched(parts[:, channel])
    image = Image.fromarray(np.round(pixels.reshape(height, width, 3) * 255).astype(np.uint8))
    scale = max(1, _FEATURES_SIDE // max(height, width))
    return image.resize((width * scale, height * scale), Image.Resampling.NEAREST)


def masks_over(masks: Sequence[NDArray[Any]], ground: Image.Image | None) -> Image.Image:
    """Masks (H, W), one colour each, over an image, which is fitted to them; None: on black."""
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


def boxes_on_white(boxes: Sequence[Box]) -> Image.Image:
    """Boxes with their names on white, in a frame; 480 x 480."""
    image = Image.new("RGB", (PANEL_SIDE, PANEL_SIDE), "#ffffff")
    frame = (0, 0, PANEL_SIDE - 1, PANEL_SIDE - 1)
    ImageDraw.Draw(image).rectangle(frame, outline="#b8b3a8")
    _draw_boxes(image, boxes)
    return image


def boxes_over(boxes: Sequence[Box], ground: Image.Image | None) -> Image.Image:
    """Boxes with their names over a square image, or on white; 480 x 480."""
    image = Image.new("RGB", (PANEL_SIDE, PANEL_SIDE), "#ffffff")
    if ground is not None:
        image.paste(ground.convert("RGB").resize(image.size))
    _draw_boxes(image, boxes, halo=3)
    return image


def _draw_boxes(image: Image.Image, boxes: Sequence[Box], halo: int = 0) -> None:
    """Draw boxes, `halo` pixels of white around the letters of their names."""
    side = image.width
    draw = ImageDraw.Draw(image)
    table = coco_panoptic()
    colours = {name: table.colours[number] for number, name in table.names.items()}
    font = ImageFont.load_default(20)
    for box in boxes:
        edges = (box.xmin, box.ymin, box.xmax, box.ymax)
        left, top, right, bottom = (round(edge * (side - 1)) for edge in edges)
        draw.rectangle((left, top, right, bottom), outline=colours[box.name], width=4)
        corner = (min(left + 8, side - 60), min(top + 6, side - 26))
        draw.text(corner, box.name, "#1d1c1a", font, stroke_width=halo, stroke_fill="#ffffff")


def _stretched(values: NDArray[Any]) -> NDArray[np.float64]:
    """Values scaled to 0 .. 1; all 0 where all are equal."""
    numbers = np.asarray(values, np.float64)
    low, high = numbers.min(), numbers.max()
    if not high > low:
        return np.zeros_like(numbers)
    stretched: NDArray[np.float64] = (numbers - low) / (high - low)
    return stretched
