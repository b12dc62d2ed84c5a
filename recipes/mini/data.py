"""What the recipe needs of a data set, and what it derives from it.

`TrainingData` is the interface; `recipes.mini.flickr8k_coco` is the data set that mini was trained
on. Label maps hold COCO panoptic category ids, 0 where there is no class.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.modalities.boxes import LOWEST_SCORE, Box
from fourm.modalities.metadata import KEYS, RANGES, computable_metadata
from fourm.modalities.pixels import square_pixels
from fourm.modalities.seg import panoptic_classes

SIDE = 224

Split = Literal["train", "dev"]
"""Photos to train on, and photos that are held out for measuring."""


@dataclass(frozen=True)
class CaptionedPhoto:
    """A photo with captions by people."""

    path: Path
    split: Split
    captions: tuple[str, ...]


@dataclass(frozen=True)
class DetectedObject:
    """An object that a network found in a photo.

    Attributes:
        category_id: COCO category.
        score: 0 to 1.
        box: xmin, ymin, xmax, ymax as fractions of width and height.
    """

    category_id: int
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo and the file of its label map, drawn by people."""

    path: Path
    mask: Path
    split: Split = "train"


@dataclass(frozen=True)
class LabelledSet:
    """Photos with label maps by people, and how the recipe uses them.

    Attributes:
        name: of the set.
        photos: in a fixed order.
        category_ids: (256,) uint8, the category id of each value of a mask.
        crops: square crops of each photo; the first is the central one.
        complete: all pixels are labelled, stuff included: the probe of stage `pseudo-maps` is
            trained on the set.
        weight: how often stage `joint` samples one of its maps; that of a captioned photo is 1.
        codebook_repeats: copies of its maps among those that stage `seg-tokenizer` fits its
            codebook to.
        decoder: whether the decoder of that stage is trained on its maps, too.
    """

    name: str
    photos: Sequence[LabelledPhoto]
    category_ids: NDArray[np.uint8] = field(repr=False)
    crops: int = 1
    complete: bool = False
    weight: float = 1.0
    codebook_repeats: int = 0
    decoder: bool = False


@dataclass(frozen=True)
class Crop:
    """A square crop of a photo and of its label map.

    Attributes:
        pixels: (SIDE, SIDE, 3) uint8.
        ids: (SIDE, SIDE) uint8 category ids.
        photo: index of the photo in its set; crops of one photo share it.
    """

    pixels: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    photo: int


@dataclass(frozen=True)
class DescribedSet:
    """Photos with texts by people, and how often stage `texts` counts them.

    Attributes:
        name: of the set.
        photos: in a fixed order.
        repeats: how often each photo counts; those of `TrainingData.captioned` count once.
    """

    name: str
    photos: Sequence[CaptionedPhoto]
    repeats: float = 1.0


@dataclass(frozen=True)
class DrawnPhoto:
    """A photo and drawings of its outlines, each by one person: white lines on black."""

    path: Path
    drawings: tuple[Path, ...]
    split: Split


class TrainingData(Protocol):
    """A data set that mini can be trained and measured on."""

    @property
    def captioned(self) -> Sequence[CaptionedPhoto]:
        """Photos with captions, in a fixed order."""

    @property
    def labelled(self) -> Sequence[LabelledSet]:
        """Sets of photos with label maps by people, in a fixed order."""

    @property
    def described(self) -> Sequence[DescribedSet]:
        """Further sets of photos with texts, in a fixed order."""

    @property
    def drawn(self) -> Sequence[DrawnPhoto]:
        """Photos that people drew, in a fixed order."""

    def objects(self, photo: CaptionedPhoto) -> Sequence[DetectedObject]:
        """Objects found in a captioned photo."""

    def object_numbers(self, photo: CaptionedPhoto) -> NDArray[np.uint8]:
        """(SIDE, SIDE) numbers of these objects, 0 where there is none."""

    def object_map(self, photo: CaptionedPhoto) -> NDArray[np.uint8]:
        """(SIDE, SIDE) category ids of these objects."""


def rows_of(
    photos: Sequence[CaptionedPhoto | LabelledPhoto | DrawnPhoto], split: Split
) -> list[int]:
    """Indices of the photos of a split."""
    return [row for row, photo in enumerate(photos) if photo.split == split]


def square_photo(path: Path) -> NDArray[np.uint8]:
    """A photo stretched to a square: (SIDE, SIDE, 3) uint8."""
    with Image.open(path) as image:
        photo = image.convert("RGB")
    if photo.size != (SIDE, SIDE):
        photo = photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.array(photo)


def square_photos(paths: Iterable[Path]) -> Iterator[NDArray[np.uint8]]:
    """The central squares of photos, as a model is given them: (SIDE, SIDE, 3) uint8."""
    for path in paths:
        with Image.open(path) as image:
            yield square_pixels(image, SIDE).transpose(1, 2, 0)


def boxes(objects: Sequence[DetectedObject], lowest: float = LOWEST_SCORE) -> list[Box]:
    """Boxes of the objects whose score is at least `lowest`."""
    names = {row.id: row.name for row in panoptic_classes()}
    return [
        Box(*one.box, names[one.category_id], one.score) for one in objects if one.score >= lowest
    ]


def metadata(photo: Path, found: Sequence[Box]) -> dict[str, float]:
    """The values that mini reads as metadata, of a photo and the boxes in it."""
    with Image.open(photo) as image:
        computed = computable_metadata(image.convert("RGB"))
    names = [box.name for box in found]
    counted: dict[str, float] = {
        "n_humans": names.count("person"),
        "n_coco_instances": len(names),
        "coco_instance_diversity": len(set(names)),
    }
    # Noise is more colourful than users may ask for.
    read = {key: min(value, KEYS[key].high) for key, value in computed.items() if key in RANGES}
    return {**counted, **read}


def square_crops(labelled: LabelledSet, seed: int) -> Iterator[Crop]:
    """Square crops of the photos and their maps.

    The first crop of a photo is the central one, the others are random and may be mirrored.
    """
    rng = random.Random(seed)
    for number, photo in enumerate(labelled.photos):
        with Image.open(photo.path) as image, Image.open(photo.mask) as mask:
            whole, labels = image.convert("RGB"), mask.convert("L")
        labels = labels.resize(whole.size, Image.Resampling.NEAREST)
        for crop in range(labelled.crops):
            box, mirrored = _crop(whole.size, rng if crop else None)
            pixels = whole.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
            ids = labels.crop(box).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            if mirrored:
                pixels = pixels.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                ids = ids.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            yield Crop(np.array(pixels), labelled.category_ids[np.array(ids)], number)


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
