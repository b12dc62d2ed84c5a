"""Query files for `fourm eval`, and altered copies of photos to search with."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps


@dataclass(frozen=True)
class Entry:
    """A picture of the gallery; `path` is relative to its root, `mask` a file or None."""

    path: str
    caption: str
    mask: Path | None


def alter(picture: Image.Image, seed: int) -> Image.Image:
    """A mirrored, darker crop (two thirds to nine tenths of each side) of an RGB picture."""
    rng = np.random.default_rng([seed, 7])
    share = float(rng.uniform(0.67, 0.9))
    width, height = (max(1, round(side * share)) for side in picture.size)
    left = int(rng.integers(picture.width - width + 1))
    top = int(rng.integers(picture.height - height + 1))
    crop = ImageOps.mirror(picture.crop((left, top, left + width, top + height)))
    return ImageEnhance.Brightness(crop).enhance(float(rng.uniform(0.6, 0.8)))


def save_altered(source: Path, target: Path, seed: int) -> None:
    """Write the altered copy of a photo as a small, poor JPEG."""
    with Image.open(source) as picture:
        altered = alter(ImageOps.exif_transpose(picture).convert("RGB"), seed)
    altered.thumbnail((512, 512))
    target.parent.mkdir(parents=True, exist_ok=True)
    altered.save(target, quality=30)


def write_queries(root: Path, entries: Sequence[Entry], folder: Path) -> dict[str, Path]:
    """Write one query file a kind of query into `folder` and return them by kind.

    `root` is the gallery's root. Pictures with the same caption are all relevant to it.
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
    for kind, queries in lines.items():
        files[kind] = folder / f"{kind}.jsonl"
        text = "".join(json.dumps(query) + "\n" for query in queries)
        files[kind].write_text(text, encoding="utf-8")
    return files
