"""The photos, captions and people's label maps that mini learns from.

Layout of the data folder: `flickr8k/{images,captions.jsonl,instances,instances.jsonl}`, and
`{coco_panoptic,ccp,camvid}/{images,masks}`. Nothing of it is part of this repository.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import BadInput
from fourm.modalities.boxes import LOWEST_SCORE, Box
from fourm.modalities.metadata import KEYS, RANGES, computable_metadata
from fourm.modalities.seg import panoptic_classes

SIDE = 224
NOTHING = 0

# What a class of another data set is called among the COCO panoptic categories; 0 = no such class.
CAMVID_IDS = {0: 187, 1: 197, 2: 0, 3: 149, 4: 191, 5: 184, 6: 0, 7: 185, 8: 3, 9: 1, 10: 1, 11: 0}

# Kept out of training, to measure on: photos of coco_panoptic by their place in sorted order.
HELD_OUT_EVERY, HELD_OUT = 10, (0, 3, 6)


@dataclass(frozen=True)
class Captioned:
    """One photo of Flickr8k: its file, its captions, `train` or `dev`."""

    path: Path
    split: str
    captions: tuple[str, ...]


class Instance(TypedDict):
    """One thing in a photo, as a segmenter saw it; `box` is x0, y0, x1, y1 in fractions."""

    index: int
    category_id: int
    score: float
    box: list[float]


@dataclass(frozen=True)
class Labelled:
    """A square crop of a photo and of its label map.

    Attributes:
        pixels: (SIDE, SIDE, 3) uint8.
        ids: (SIDE, SIDE) uint8, COCO panoptic category ids.
        photo: number of the photo within its set; crops of one photo share it.
    """

    pixels: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    photo: int


def captioned(data: Path) -> list[Captioned]:
    """All photos of Flickr8k, in the order of `captions.jsonl`.

    Raises:
        BadInput: the file is absent.
    """
    path = data / "flickr8k" / "captions.jsonl"
    if not path.is_file():
        raise BadInput(f"{path} does not exist: --data should hold flickr8k/")
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    images = data / "flickr8k" / "images"
    return [Captioned(images / r["image"], r["split"], tuple(r["captions"])) for r in rows]


def square_photo(path: Path) -> NDArray[np.uint8]:
    """A photo of Flickr8k as (SIDE, SIDE, 3) uint8."""
    with Image.open(path) as image:
        picture = image.convert("RGB")
    if picture.size != (SIDE, SIDE):
        picture = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.array(picture)


def instance_ids(
    data: Path, photo: Path, instances: dict[str, list[Instance]]
) -> NDArray[np.uint8]:
    """(H, W) uint8 map of COCO category ids of a photo's instances, 0 where there is none."""
    path = data / "flickr8k" / "instances" / f"{photo.stem}.png"
    if not path.is_file():
        return np.zeros((SIDE, SIDE), np.uint8)
    with Image.open(path) as image:
        places = np.array(image)
    table = np.zeros(256, np.uint8)
    for row in instances.get(photo.name, []):
        table[row["index"]] = row["category_id"]
    ids: NDArray[np.uint8] = table[places]
    return ids


def instance_rows(data: Path) -> dict[str, list[Instance]]:
    """Photo name -> its instances, from `instances.jsonl`."""
    path = data / "flickr8k" / "instances.jsonl"
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {row["image"]: row["instances"] for row in rows}


def boxes(instances: list[Instance], lowest: float = LOWEST_SCORE) -> list[Box]:
    """The boxes of a photo's instances, but for those the segmenter was less sure of."""
    names = {row.id: row.name for row in panoptic_classes()}
    found = []
    for row in instances:
        if row["score"] >= lowest:
            xmin, ymin, xmax, ymax = row["box"]
            found.append(Box(xmin, ymin, xmax, ymax, names[row["category_id"]], row["score"]))
    return found


def facts(photo: Path, found: list[Box]) -> dict[str, float]:
    """What `fourm.modalities.metadata.RANGES` names, of a photo and the boxes in it."""
    with Image.open(photo) as image:
        computed = computable_metadata(image.convert("RGB"))
    names = [box.name for box in found]
    counted: dict[str, float] = {
        "n_humans": names.count("person"),
        "n_coco_instances": len(names),
        "coco_instance_diversity": len(set(names)),
    }
    # Nearly random colours are more colourful than what users may ask for.
    told = {key: min(value, KEYS[key].high) for key, value in computed.items() if key in RANGES}
    return {**counted, **told}


def is_held_out(photo: int) -> bool:
    """Whether a photo of coco_panoptic is kept for measuring."""
    return photo % HELD_OUT_EVERY in HELD_OUT


def labelled(data: Path, name: str, crops: int, seed: int, every: int = 1) -> Iterator[Labelled]:
    """Square crops of `coco_panoptic`, `ccp` or `camvid` with their maps as COCO category ids.

    The first crop of a photo is the central one, the others are random and may be mirrored.
    """
    rng = random.Random(seed)
    table = _category_ids(name)
    for number, path in enumerate(sorted((data / name / "images").iterdir())):
        if number % every:
            continue
        with Image.open(path) as image, Image.open(mask_path(path)) as mask:
            photo, labels = image.convert("RGB"), mask.convert("L")
        labels = labels.resize(photo.size, Image.Resampling.NEAREST)
        for crop in range(crops):
            box, mirrored = _crop(photo.size, rng if crop else None)
            pixels = photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
            ids = labels.crop(box).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            if mirrored:
                pixels = pixels.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                ids = ids.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            yield Labelled(np.array(pixels), table[np.array(ids)], number)


def mask_path(photo: Path) -> Path:
    """Where the label map of a photo lies."""
    return photo.parent.parent / "masks" / f"{photo.stem}.png"


def _crop(
    size: tuple[int, int], rng: random.Random | None
) -> tuple[tuple[int, int, int, int], bool]:
    short = min(size)
    if rng is None:
        left, top = (size[0] - short) // 2, (size[1] - short) // 2
        return (left, top, left + short, top + short), False
    side = int(short * rng.uniform(0.6, 1))
    left, top = rng.randint(0, size[0] - side), rng.randint(0, size[1] - side)
    return (left, top, left + side, top + side), rng.random() < 0.5


def _category_ids(name: str) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    if name == "coco_panoptic":
        for row in panoptic_classes():
            table[row.id] = row.id
    elif name == "camvid":
        for value, category in CAMVID_IDS.items():
            table[value] = category
    elif name == "ccp":
        table[1:] = 1  # every garment and all skin belongs to a person
    else:
        raise BadInput(f"no such data set: {name}")
    return table
