"""Image files for the tests."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def striped(colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A photo whose left half has the colour and whose right half is a darker shade of it."""
    pixels = np.empty((size[1], size[0], 3), np.uint8)
    pixels[:] = colour
    pixels[:, size[0] // 2 :] //= 3
    return Image.fromarray(pixels)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def write(path: Path, image: Image.Image, form: str = "PNG", **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(image, form, **options))
    return path
