"""Photos to index: the user's, or made-up ones of the size and weight of web photos."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def gather(source: str | None, count: int, target: Path) -> list[Path]:
    """Put up to `count` photos into `target` and return their files in order.

    Raises:
        SystemExit: `source` is not a folder or has no photos.
    """
    target.mkdir()
    if source is None:
        return [_make(number, target / f"{number:05d}.jpg") for number in range(count)]
    folder = Path(source)
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        print(f"error: --photos: no photos in {folder}", file=sys.stderr)
        raise SystemExit(2)
    return [
        Path(shutil.copy(path, target / f"{number:05d}{path.suffix.lower()}"))
        for number, path in enumerate(found[:count])
    ]


def _make(number: int, file: Path) -> Path:
    """500 x 375 pixels, large shapes with some fine texture: about 60 to 110 kB of JPEG."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC))
    texture = random.normal(0, 12, (375, 500, 1))
    pixels = np.clip(smooth + texture, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(file, quality=85)
    return file
