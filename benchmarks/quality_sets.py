"""Galleries and judged queries for measuring quality, made from photos that mini has not seen.

Needs the data folder of `fourm.training`: the dev photos of Flickr8k, and the photos of
coco_panoptic that training holds out.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from fourm.modalities.boxes import Box
from fourm.training import drawings, material

ALTERED_SIDE = {"altered": (0.85, 0.95), "altered-much": (0.7, 0.85)}
"""How much of the photo's side a crop keeps, for each set of altered photos."""

DRAWN = {"thick-edges": "thick", "hand-edges": "by an unsteady hand"}
"""Name of a set -> which of training's versions of edges its drawings are."""

ALTERED_QUALITY = 30
ALTERED_BRIGHTNESS = 0.6


@dataclass(frozen=True)
class JudgedSet:
    """One line of the table.

    Attributes:
        title: what is asked, and among what.
        gallery: folder of photos.
        queries: file for `fourm eval`.
    """

    title: str
    gallery: Path
    queries: Path


def make(data: Path, out: Path) -> list[JudgedSet]:
    """Write photos, query pictures, maps and query files below `out`; the same every time."""
    dev = [photo for photo in material.captioned(data) if photo.split == "dev"]
    people = [
        path
        for number, path in enumerate(sorted((data / "coco_panoptic" / "images").iterdir()))
        if material.is_held_out(number)
    ]
    photos = _gallery(out / "photos", [photo.path for photo in dev])
    more = sorted((data / "coco_panoptic" / "images").iterdir())
    mixed = _gallery(out / "photos-and-coco", [*(photo.path for photo in dev), *more])
    rows = material.instance_rows(data)
    maps = {photo.path.name: _instance_map(data, out, photo, rows) for photo in dev}
    drawn = [photo for photo in dev if maps[photo.path.name]]
    size = len(dev)

    def both(photo: material.Captioned) -> dict[str, object]:
        return {"text": photo.captions[0], "seg": maps[photo.path.name]}

    lines = {
        "captions": (
            f"caption -> photo, of {size}",
            photos,
            [_line(p.path, text=text) for p in dev for text in p.captions],
        ),
        "people-maps": (
            f"map drawn by people -> photo, of {size + len(more)}",
            mixed,
            [_line(p, seg=str(material.mask_path(p).resolve())) for p in people],
        ),
        **{
            name: (
                f"altered photo (crop of {low:.0%} to {high:.0%}) -> original, of {size}",
                photos,
                [_line(p.path, image=_altered(out, p.path, name)) for p in dev],
            )
            for name, (low, high) in ALTERED_SIDE.items()
        },
        "first-captions": (
            f"first caption -> photo, of {size}",
            photos,
            [_line(p.path, text=p.captions[0]) for p in drawn],
        ),
        "altered-and-captions": (
            f"much altered photo and first caption -> photo, of {size}",
            photos,
            [_line(p.path, image=f"altered-much/{p.path.name}", text=p.captions[0]) for p in dev],
        ),
        "instance-maps": (
            f"map of its things (a network's) -> photo, of {size}",
            photos,
            [_line(p.path, seg=maps[p.path.name]) for p in drawn],
        ),
        "captions-and-maps": (
            f"first caption and map of its things -> photo, of {size}",
            photos,
            [_line(p.path, **both(p)) for p in drawn],
        ),
    }
    for name, what, asked in _further(out, dev, rows):
        alone = [_line(p.path, **inputs) for p, inputs in asked]
        with_words = [_line(p.path, text=p.captions[0], **inputs) for p, inputs in asked]
        lines[name] = (f"{what} -> photo, of {size}", photos, alone)
        title = f"first caption and {what} -> photo, of {size}"
        lines[f"captions-and-{name}"] = (title, photos, with_words)
    return [
        JudgedSet(title, gallery, write(out / f"{name}.jsonl", rows))
        for name, (title, gallery, rows) in lines.items()
    ]


Inputs = list[tuple[material.Captioned, dict[str, object]]]


def _further(
    out: Path, dev: list[material.Captioned], rows: dict[str, list[material.Instance]]
) -> list[tuple[str, str, Inputs]]:
    """Name, title and inputs of what is computed from photos, or from the boxes of their things."""
    boxed = [(photo, material.boxes(rows.get(photo.path.name, []))) for photo in dev]
    drawn: list[tuple[str, str, Inputs]] = [
        (name, f"edges, {version},", [(p, {"edges": _drawn(out, p.path, name)}) for p in dev])
        for name, version in DRAWN.items()
    ]
    return [
        ("edges", "Canny edges", [(p, {"canny": str(p.path.resolve())}) for p in dev]),
        *drawn,
        ("palettes", "five colours", [(p, {"palette_of": str(p.path.resolve())}) for p in dev]),
        (
            "facts",
            "facts",
            [(p, {"metadata": material.facts(p.path, boxes)}) for p, boxes in boxed],
        ),
        (
            "boxes",
            "boxes of its things (a network's)",
            [(p, {"boxes": [_written(box) for box in boxes]}) for p, boxes in boxed if boxes],
        ),
    ]


def _written(box: Box) -> str:
    """A box as the command line takes it."""
    return f"{box.name}:{box.xmin:g},{box.ymin:g},{box.xmax:g},{box.ymax:g}"


def _line(relevant: Path, **inputs: object) -> dict[str, object]:
    return {**inputs, "relevant": [relevant.name]}


def _gallery(folder: Path, photos: Iterable[Path]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for path in photos:
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    return folder


def _altered(out: Path, path: Path, name: str) -> str:
    """A mirrored, darker crop of a photo, saved with visible JPEG artefacts."""
    rng = random.Random(path.name)
    with Image.open(path) as image:
        photo = image.convert("RGB")
    width, height = photo.size
    side = int(min(width, height) * rng.uniform(*ALTERED_SIDE[name]))
    left, top = rng.randint(0, width - side), rng.randint(0, height - side)
    crop = ImageOps.mirror(photo.crop((left, top, left + side, top + side)))
    target = out / name / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    ImageEnhance.Brightness(crop).enhance(ALTERED_BRIGHTNESS).save(target, quality=ALTERED_QUALITY)
    return f"{name}/{path.name}"


def _drawn(out: Path, path: Path, name: str) -> str:
    """The edges of a photo, computed so that they look as drawn in one of `DRAWN`'s ways."""
    rng = random.Random(path.name)
    lines = drawings.drawing(material.square_photo(path), DRAWN[name], rng)
    target = out / name / f"{path.stem}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(lines).save(target)
    return f"{name}/{target.name}"


def _instance_map(
    data: Path, out: Path, photo: material.Captioned, rows: dict[str, list[material.Instance]]
) -> str:
    """Where the map of a photo's instances was written, or nothing if it has none."""
    ids = material.instance_ids(data, photo.path, rows)
    if not np.any(ids):
        return ""
    target = out / "maps" / f"{photo.path.stem}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ids).save(target)
    return f"maps/{target.name}"


def write(path: Path, rows: Iterable[dict[str, object]]) -> Path:
    """Write a query file, one object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
