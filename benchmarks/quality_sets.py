"""Galleries and judged queries for measuring quality, made from photos that training holds out."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from fourm.modalities.boxes import Box
from fourm.training.edges import draw_edges
from recipes.mini.data import (
    CaptionedPhoto,
    LabelledPhoto,
    TrainingData,
    boxes,
    metadata,
    rows_of,
    square_photo,
)

ALTERED_SIDE = {"altered": (0.85, 0.95), "altered-much": (0.7, 0.85)}
"""Range of a crop's side as a fraction of the photo's, for each set of altered photos."""

DRAWN = {"thick-edges": "thick", "hand-edges": "by an unsteady hand"}
"""Name of a set -> which of `fourm.training.edges.VERSIONS` its drawings are."""

ALTERED_QUALITY = 30
ALTERED_BRIGHTNESS = 0.6


@dataclass(frozen=True)
class JudgedSet:
    """One line of the table.

    Attributes:
        title: the queries, and the size of the gallery.
        gallery: folder of photos.
        queries: file for `fourm eval`.
    """

    title: str
    gallery: Path
    queries: Path


def make(data: TrainingData, out: Path) -> list[JudgedSet]:
    """Write photos, query images, maps and query files to `out`; the files are reproducible."""
    dev = [data.captioned[row] for row in rows_of(data.captioned, "dev")]
    # Sets that are held out in part have maps of COCO panoptic categories.
    sets = [labelled.photos for labelled in data.labelled if rows_of(labelled.photos, "dev")]
    labelled: list[LabelledPhoto] = [photo for photos in sets for photo in photos]
    photos = gallery(out / "photos", [photo.path for photo in dev])
    all_photos = [*(photo.path for photo in dev), *(photo.path for photo in labelled)]
    mixed = gallery(out / "photos-and-coco", all_photos)
    maps = {photo.path.name: _object_map(data, out, photo) for photo in dev}
    mapped = [photo for photo in dev if maps[photo.path.name]]
    size = len(dev)

    def both(photo: CaptionedPhoto) -> dict[str, object]:
        return {"text": photo.captions[0], "seg": maps[photo.path.name]}

    lines = {
        "captions": (
            f"caption -> photo, of {size}",
            photos,
            [line(p.path, text=text) for p in dev for text in p.captions],
        ),
        "people-maps": (
            f"map drawn by people -> photo, of {len(all_photos)}",
            mixed,
            [
                line(p.path, seg=str(p.mask.resolve()))
                for p in (labelled[row] for row in rows_of(labelled, "dev"))
            ],
        ),
        **{
            name: (
                f"altered photo (crop of {low:.0%} to {high:.0%}) -> original, of {size}",
                photos,
                [line(p.path, image=_altered(out, p.path, name)) for p in dev],
            )
            for name, (low, high) in ALTERED_SIDE.items()
        },
        "first-captions": (
            f"first caption -> photo, of {size}",
            photos,
            [line(p.path, text=p.captions[0]) for p in mapped],
        ),
        "altered-and-captions": (
            f"much altered photo and first caption -> photo, of {size}",
            photos,
            [line(p.path, image=f"altered-much/{p.path.name}", text=p.captions[0]) for p in dev],
        ),
        "instance-maps": (
            f"map of its objects (a network's) -> photo, of {size}",
            photos,
            [line(p.path, seg=maps[p.path.name]) for p in mapped],
        ),
        "captions-and-maps": (
            f"first caption and map of its objects -> photo, of {size}",
            photos,
            [line(p.path, **both(p)) for p in mapped],
        ),
    }
    for name, what, queries in _further(data, out, dev):
        alone = [line(p.path, **inputs) for p, inputs in queries]
        with_text = [line(p.path, text=p.captions[0], **inputs) for p, inputs in queries]
        lines[name] = (f"{what} -> photo, of {size}", photos, alone)
        title = f"first caption and {what} -> photo, of {size}"
        lines[f"captions-and-{name}"] = (title, photos, with_text)
    return [
        JudgedSet(title, gallery, write(out / f"{name}.jsonl", rows))
        for name, (title, gallery, rows) in lines.items()
    ]


Queries = list[tuple[CaptionedPhoto, dict[str, object]]]


def _further(
    data: TrainingData, out: Path, dev: Sequence[CaptionedPhoto]
) -> list[tuple[str, str, Queries]]:
    """Name, title and queries of inputs that are computed from photos or from their objects."""
    boxed = [(photo, boxes(data.objects(photo))) for photo in dev]
    drawn: list[tuple[str, str, Queries]] = [
        (name, f"edges, {version},", [(p, {"edges": _drawn(out, p.path, name)}) for p in dev])
        for name, version in DRAWN.items()
    ]
    return [
        ("edges", "Canny edges", [(p, {"canny": str(p.path.resolve())}) for p in dev]),
        *drawn,
        ("palettes", "five colours", [(p, {"palette_of": str(p.path.resolve())}) for p in dev]),
        (
            "metadata",
            "metadata",
            [(p, {"metadata": metadata(p.path, found)}) for p, found in boxed],
        ),
        (
            "boxes",
            "boxes of its objects (a network's)",
            [(p, {"boxes": [_written(box) for box in found]}) for p, found in boxed if found],
        ),
    ]


def _written(box: Box) -> str:
    """A box in the syntax of the command line."""
    return f"{box.name}:{box.xmin:g},{box.ymin:g},{box.xmax:g},{box.ymax:g}"


def line(relevant: Path, **inputs: object) -> dict[str, object]:
    """A line of a query file that one photo answers."""
    return {**inputs, "relevant": [relevant.name]}


def gallery(folder: Path, photos: Iterable[Path]) -> Path:
    """Copy photos into a folder, those that are missing there, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in photos:
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    return folder


def _altered(out: Path, path: Path, name: str) -> str:
    """A mirrored, darker crop of a photo with visible JPEG artefacts."""
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
    """The edges of a photo in one of the versions of `DRAWN`."""
    rng = random.Random(path.name)
    lines = draw_edges(square_photo(path), DRAWN[name], rng)
    target = out / name / f"{path.stem}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(lines).save(target)
    return f"{name}/{target.name}"


def _object_map(data: TrainingData, out: Path, photo: CaptionedPhoto) -> str:
    """Path of the written map of a photo's objects, or "" if it has none."""
    ids = data.object_map(photo)
    if not np.any(ids):
        return ""
    target = out / "maps" / f"{photo.path.stem}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ids).save(target)
    return f"maps/{target.name}"


def write(path: Path, rows: Iterable[dict[str, object]]) -> Path:
    """Write a query file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
