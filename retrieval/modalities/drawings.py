"""What modalities share whose values are images: reading, drawing and writing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.drawing.panel import PANEL_SIDE, Panel
from retrieval.errors import QueryError
from retrieval.inputs import Input
from retrieval.modalities.modality import Items, Modifier
from retrieval.suffixes import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded

BGR = Modifier(
    "bgr",
    "",
    "Arrays and tensors are in BGR order, as OpenCV's are.",
    python_only=True,
    choices=(False, True),
)

IMAGE_ITEMS = Items("images", IMAGE_SUFFIXES)

_PAPER = 0.8
_FAINTEST = 16


def read_image(source: object, modality: str, *, bgr: bool = False) -> Input:
    """An image, RGB.

    Raises:
        QueryError: as `open_image`.
    """
    from retrieval.inputs.images import open_image

    photo = open_image(source, modality, bgr=bgr)
    return Input(modality, photo.image, photo.name)


def read_lines(source: object, modality: str, *, bgr: bool = False) -> Input:
    """Edges or a line drawing, RGB: light lines on dark, whichever way it was drawn.

    Raises:
        QueryError: as `open_image`, or a drawing without a line.
    """
    import numpy as np

    from retrieval.inputs.images import open_image

    photo = open_image(source, modality, bgr=bgr)
    levels = np.asarray(photo.image.convert("L"))
    if int(levels.max()) - int(levels.min()) < _FAINTEST:
        raise QueryError(
            "there is no line in the drawing", where=source if photo.name else modality
        )
    return Input(modality, light_on_dark(photo.image), photo.name)


def light_on_dark(image: Image.Image) -> Image.Image:
    """A drawing as models know edges; dark lines on light ground are inverted.

    The ground is light if more than 80 % of the image is. Dense edges of a photo, drawn with a
    thick pen, seldom are.
    """
    from PIL import ImageOps, ImageStat

    light = ImageStat.Stat(image.convert("L").point(lambda grey: 255 * (grey > 127))).mean[0] / 255
    return ImageOps.invert(image) if light > _PAPER else image


def draw_image(entry: Input, title: str) -> Panel:
    """The image itself, at most 480 pixels wide and high."""
    return image_panel(entry.value, entry.name, title)


def image_panel(image: Image.Image, name: str | None, title: str) -> Panel:
    """A panel of an image under the name of its file."""
    from retrieval.escaping import printable

    shown = image.copy()
    shown.thumbnail((PANEL_SIDE, PANEL_SIDE))
    name = printable(name) if name else None
    return Panel(title, name or title.lower(), image=shown.convert("RGB"), name=name)


def draw_pixels(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    """A decoded array (H, W) or (H, W, 3), uint8, as an image."""
    return image_panel(pixels_of(decoded), None, title)


def write_pixels(decoded: Decoded, panel: Panel) -> tuple[Image.Image]:
    """The same as the one file of a modality."""
    return (pixels_of(decoded),)


def pixels_of(decoded: Decoded) -> Image.Image:
    """The image of a decoded array (H, W) or (H, W, 3), uint8."""
    from PIL import Image

    return Image.fromarray(decoded.value)


def shape_text(value: object) -> str:
    """The shape of an array: `224 x 224`."""
    return " x ".join(map(str, getattr(value, "shape", ())))
