"""Images as the bytes of files."""

import io

import numpy as np
from PIL import Image

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
COLOURS = [RED, GREEN, BLUE, YELLOW]


def quarters(width=120, height=80, colours=COLOURS):
    """Four colours: top left, top right, bottom left, bottom right."""
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = slice(0, height // 2), slice(0, width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    for (rows, columns), colour in zip(
        ((top, left), (top, right), (bottom, left), (bottom, right)), colours, strict=True
    ):
        pixels[rows, columns] = colour
    return Image.fromarray(pixels)


def encoded(image, form="PNG", **options):
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def corners(image):
    """The colours of the four quarters, in the order of `quarters`."""
    width, height = image.size
    points = [(x, y) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [image.getpixel(point) for point in points]


def near(colours, others, within=12):
    """Whether colours are the same up to what compression does."""
    pairs = zip(colours, others, strict=True)
    return all(abs(a - b) <= within for one, two in pairs for a, b in zip(one, two, strict=True))
