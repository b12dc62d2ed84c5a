"""Segmentation maps as somebody would draw them by hand: a few coarse shapes."""

import numpy as np
from PIL import Image, ImageDraw

from demo.scenes import labels

SIZE = (320, 240)


def beach_with_umbrella() -> Image.Image:
    """Sky over sea over sand, and an umbrella: an "L" picture of COCO panoptic ids."""
    page, draw = _page(labels.SKY)
    draw.polygon([(0, 108), (110, 104), (230, 109), (320, 105), (320, 240), (0, 240)], labels.SEA)
    draw.polygon([(0, 150), (90, 158), (210, 151), (320, 160), (320, 240), (0, 240)], labels.SAND)
    draw.polygon([(118, 140), (135, 98), (165, 82), (196, 97), (214, 138)], labels.UMBRELLA)
    draw.line([(165, 138), (168, 205)], labels.UMBRELLA, width=7)
    return page


def boat_on_the_sea() -> Image.Image:
    """Sky over sea, and a boat with a sail."""
    page, draw = _page(labels.SKY)
    draw.polygon([(0, 140), (150, 137), (320, 142), (320, 240), (0, 240)], labels.SEA)
    draw.polygon([(112, 152), (158, 50), (206, 152)], labels.BOAT)
    draw.polygon([(100, 150), (222, 148), (205, 172), (116, 174)], labels.BOAT)
    return page


def coarse(mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Image.Image:
    """An exact map (height, width) redrawn in 20 by 15 blocks, as with a thick brush."""
    small = Image.fromarray(mask).resize((20, 15), Image.Resampling.NEAREST)
    return small.resize(SIZE, Image.Resampling.NEAREST)


def _page(label: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", SIZE, label)
    draw = ImageDraw.Draw(page)
    draw.fontmode = "1"
    return page, draw
