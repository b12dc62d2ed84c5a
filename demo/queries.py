"""Query files for `fourm eval`, and altered copies of photos as queries."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps


@dataclass(frozen=True)
class Entry:
    """A photo of the gallery; `path` is relative to its root, `mask` a file or None."""

    path: str
    caption: str
    mask: Path | None


def alter(photo: Image.Image, seed: int) -> Image.Image:
    """A mirrored, darker crop (two thirds to nine tenths of each side) of an RGB photo."""
    rng = np.random.default_rng([seed, 7])
    share = float(rng.uniform(0.67, 0.9))
    width, height = (max(1, round(side * share)) for side in photo.size)
    left = int(rng.integers(photo.width - width + 1))
    top = int(rng.integers(photo.height - height + 1))
    crop = ImageOps.mirror(photo.crop((left, top, left + width, top + height)))
    return ImageEnhance.Brightness(crop).enhance(float(rng.uniform(0.6, 0.8)))


def save_altered(source: Path, target: Path, seed: int) -> None:
    """Write the altered copy of a photo as a small JPEG of low quality."""
    with Image.open(source) as photo:
        altered = alter(ImageOps.exif_transpose(photo).convert("RGB"), seed)
    altered.thumbnail((512, 512))
    target.parent.mkdir(parents=True, exist_ok=True)
    altered.save(target, quality=30)


def write_queries(root: Path, entries: Sequence[Entry], folder: Path) -> dict[str, Path]:
    """Write a query file for each combination of inputs and return the files by its name.

    `root` is the gallery's root. All photos with the same caption are relevant to it.
    """
    same: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        same[entry.caption].append(entry.path)
    lines: dict[str, list[Mapping[str, object]]] = {
        "text": [{"text": caption, "relevant": paths} for caption, paths in same.items()],
        "seg": [],
        "text+seg": [],
        "image": [],
    }
    for number, entry in enumerate(entries):
        altered = folder / "altered" / f"{number:04d}.jpg"
        save_altered(root / entry.path, altered, number)
        relevant = [entry.path]
        lines["image"].append({"image": f"altered/{altered.name}", "relevant": relevant})
        if entry.mask is not None:
            seg = Path("..", entry.mask.parent.name, entry.mask.name).as_posix()
            lines["seg"].append({"seg": seg, "relevant": relevant})
            both = {"text": entry.caption, "seg": seg, "relevant": relevant}
            lines["text+seg"].append(both)
    files = {}
    for name, queries in lines.items():
        files[name] = folder / f"{name}.jsonl"
        text = "".join(json.dumps(query) + "\n" for query in queries)
        files[name].write_text(text, encoding="utf-8")
    return files
