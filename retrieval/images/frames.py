"""Which frame of an animation, or which page of a file, stands for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

_PAGED = ("TIFF",)
_MOST_FRAMES = 64
_MOST_PAGES = 256
_NOISE = 8
"""A lossy frame of one colour varies by this much, of 255."""


def frame_count(image: Image.Image) -> int:
    """Number of frames or pages, 1 for a plain image.

    The further images of an MPO are previews and depth maps, of which nobody thinks as frames.
    """
    if image.format == "MPO":
        return 1
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # a damaged later frame must not cost the first one
        return 1


def choose_frame(image: Image.Image, check: Callable[[Image.Image], None]) -> None:
    """Seek to the frame that stands for the file.

    Of pages (TIFF) it is the largest, the first of equals: the first page may be a thumbnail. Of an
    animation it is the first frame that is not of one colour, or the first one if all are.

    Args:
        image: as opened; left at the chosen frame.
        check: called with the image at a frame before it is unpacked; raises if it is too large.
    """
    count = frame_count(image)
    if count == 1:
        return
    if image.format in _PAGED:
        image.seek(_largest_page(image, min(count, _MOST_PAGES)))
        return
    for number in range(min(count, _MOST_FRAMES)):
        try:
            image.seek(number)
            check(image)
            image.load()
        except Exception:  # the animation ends early
            break
        if not _is_plain(image):
            return
    image.seek(0)


def _largest_page(image: Image.Image, count: int) -> int:
    sizes = []
    for number in range(count):
        try:
            image.seek(number)
        except Exception:  # a damaged page
            break
        sizes.append(image.width * image.height)
    return max(range(len(sizes)), key=sizes.__getitem__, default=0)


def _is_plain(image: Image.Image) -> bool:
    """Whether all pixels have one colour, or none can be seen."""
    pixels = np.asarray(image.convert("RGBA")).reshape(-1, 4)
    low, high = pixels.min(axis=0).astype(int), pixels.max(axis=0).astype(int)
    return bool(high[3] == 0 or (high - low <= _NOISE).all())
