"""Judged queries on one gallery of held-out photos from all sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.quality_sets import JudgedSet, gallery, line, write
from fourm.modalities.seg import panoptic_classes
from fourm.training.edges import thickened
from fourm.training.outlines import read_lines
from recipes.mini.data import CaptionedPhoto, TrainingData, boxes, rows_of

PEN = 3
"""Width of the lines of drawings, in pixels of a photo with a short side of 256."""

LEAST_PHOTOS = 10
"""A class name is searched if at least so many held-out photos show it."""


def make(data: TrainingData, out: Path) -> list[JudgedSet]:
    """Write photos, drawings and query files to `out`; the files are reproducible."""
    described = {one.name: one.photos for one in data.described}
    held_out = {name: [p for p in photos if p.split == "dev"] for name, photos in described.items()}
    captioned = [data.captioned[row] for row in rows_of(data.captioned, "dev")]
    drawn = [photo for photo in data.drawn if photo.split == "dev"]
    painted = [
        photo for labelled in data.labelled for photo in labelled.photos if photo.split == "dev"
    ]
    paths = [photo.path for photos in held_out.values() for photo in photos]
    paths += [photo.path for photo in captioned]
    paths += [photo.path for photo in drawn]
    paths += [photo.path for photo in painted]
    mixed = gallery(out / "photos-mixed", paths)
    size = f"of {len(paths)}"

    def judged(name: str, title: str, rows: list[dict[str, object]]) -> JudgedSet:
        return JudgedSet(title, mixed, write(out / f"{name}.jsonl", rows))

    return [
        judged(
            "rooms", f"two sentences about a room -> photo, {size}",
            [line(p.path, text=p.captions[0]) for p in held_out.get("ade_rooms", [])],
        ),
        judged(
            "coco-captions", f"COCO caption -> photo, {size}",
            [
                line(p.path, text=text)
                for p in held_out.get("coco_captions", [])
                for text in p.captions
            ],
        ),
        judged(
            "drawings", f"one person's drawing -> photo, {size}",
            [
                line(p.path, edges=_thick(out, path))
                for p in drawn
                for path in p.drawings
            ],
        ),
        judged(
            "mixed-maps", f"map drawn by people -> photo, {size}",
            [line(p.path, seg=str(p.mask.resolve())) for p in painted],
        ),
        judged(
            "class-names", f"name of a class -> photos that show it, {size}",
            list(_class_names(data, captioned)),
        ),
    ]  # fmt: skip


def _thick(out: Path, path: Path) -> str:
    target = out / "drawings" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(thickened(read_lines(path), PEN)).save(target)
    return f"drawings/{target.name}"


def _class_names(data: TrainingData, photos: list[CaptionedPhoto]) -> Iterator[dict[str, object]]:
    """One query a class of things; relevant are the captioned photos with such an object."""
    shown: dict[str, list[str]] = {row.name: [] for row in panoptic_classes() if row.is_thing}
    for photo in photos:
        for name in {box.name for box in boxes(data.objects(photo))}:
            shown[name].append(photo.path.name)
    for name, found in shown.items():
        if len(found) >= LEAST_PHOTOS:
            yield {"text": f"a {name}", "relevant": found}
