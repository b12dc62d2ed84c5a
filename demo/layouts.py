"""Hand-drawn segmentation maps: a few coarse shapes."""

import numpy as np
from PIL import Image, ImageDraw

from demo.scenes import labels

SIZE = (320, 240)


def cow_in_a_field() -> Image.Image:
    """Sky over grass, trees at the left, and a cow: an "L" image of COCO panoptic ids."""
    page, draw = _page(labels.SKY)
    draw.polygon([(0, 92), (140, 88), (320, 94), (320, 240), (0, 240)], labels.GRASS)
    draw.polygon([(0, 60), (40, 52), (92, 74), (90, 112), (0, 116)], labels.TREE)
    draw.rectangle([(152, 132), (222, 172)], labels.COW)
    draw.rectangle([(158, 170), (168, 200)], labels.COW)
    draw.rectangle([(206, 170), (216, 200)], labels.COW)
    draw.polygon([(216, 118), (246, 122), (244, 146), (216, 150)], labels.COW)
    return page


def street_with_a_car() -> Image.Image:
    """A road between buildings under the sky, and a car on it."""
    page, draw = _page(labels.SKY)
    draw.rectangle([(0, 60), (110, 172)], labels.BUILDING)
    draw.rectangle([(210, 40), (320, 172)], labels.BUILDING)
    draw.polygon([(0, 168), (320, 168), (320, 240), (0, 240)], labels.ROAD)
    draw.rectangle([(136, 176), (196, 206)], labels.CAR)
    draw.polygon([(148, 178), (158, 162), (178, 162), (188, 178)], labels.CAR)
    return page


def coarse(mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Image.Image:
    """An exact map (height, width) reduced to 20 by 15 blocks, as if drawn with a thick brush."""
    small = Image.fromarray(mask).resize((20, 15), Image.Resampling.NEAREST)
    return small.resize(SIZE, Image.Resampling.NEAREST)


def _page(label: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", SIZE, label)
    draw = ImageDraw.Draw(page)
    draw.fontmode = "1"
    return page, draw
