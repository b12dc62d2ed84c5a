"""What is painted alike of a query and of what a model generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fourm.modalities.boxes import Box
from retrieval.queries.class_table import coco_panoptic


def nearness(depth: NDArray[Any]) -> NDArray[np.float64]:
    """Depth (H, W), small values near, as 1 for near .. 0 for far; all 1 where it is flat.

    The lowest and highest hundredth of the values are cut off.
    """
    numbers = np.asarray(depth, np.float64)
    low, high = np.percentile(numbers, (1, 99))
    if not high > low:
        return np.ones(numbers.shape)
    near: NDArray[np.float64] = 1 - np.clip((numbers - low) / (high - low), 0, 1)
    return near


def draw_boxes(picture: Image.Image, boxes: Sequence[Box], halo: int = 0) -> None:
    """Draw boxes with their names onto a square picture, in place.

    Args:
        picture: RGB.
        boxes: their names are classes of COCO.
        halo: width of the white around the letters, in pixels.
    """
    side = picture.width
    draw = ImageDraw.Draw(picture)
    table = coco_panoptic()
    colours = {name: table.colours[number] for number, name in table.names.items()}
    font = ImageFont.load_default(20)
    for box in boxes:
        edges = (box.xmin, box.ymin, box.xmax, box.ymax)
        left, top, right, bottom = (round(edge * (side - 1)) for edge in edges)
        draw.rectangle((left, top, right, bottom), outline=colours[box.name], width=4)
        place = (min(left + 8, side - 60), min(top + 6, side - 26))
        draw.text(place, box.name, "#1d1c1a", font, stroke_width=halo, stroke_fill="#ffffff")
