"""Pictures that are no photos, as queries."""

from __future__ import annotations

from PIL import Image, ImageOps, ImageStat

from retrieval.queries.inputs import Input
from retrieval.queries.photo import open_photo

PAPER = 0.8


def read_drawing(source: object, kind: str) -> Input:
    """A picture of another kind, RGB, such as surface normals.

    Raises:
        QueryError: as `open_photo`.
    """
    photo = open_photo(source)
    return Input(kind, photo.image, photo.name)


def read_lines(source: object, kind: str) -> Input:
    """Edges or a line drawing, RGB: light lines on dark, whichever way it was drawn.

    Raises:
        QueryError: as `open_photo`.
    """
    photo = open_photo(source)
    return Input(kind, light_on_dark(photo.image), photo.name)


def light_on_dark(image: Image.Image) -> Image.Image:
    """A drawing as models know edges; dark lines on light ground are inverted.

    The ground is light where more than `PAPER` of the picture is: dense edges of a photo, with a
    thick pen, seldom are.
    """
    light = ImageStat.Stat(image.convert("L").point(lambda grey: 255 * (grey > 127))).mean[0] / 255
    return ImageOps.invert(image) if light > PAPER else image
