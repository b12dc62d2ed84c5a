"""The data set that mini was trained on: Flickr8k, and label maps of COCO, CCP and CamVid.

    flickr8k/{images,captions.jsonl,instances,instances.jsonl}
    coco_panoptic/{images,masks}
    ccp/{images,masks}          Clothing Co-Parsing
    camvid/{images,masks}

None of it is part of this repository.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import BadInput
from fourm.modalities.seg import panoptic_classes
from recipes.mini.data import (
    SIDE,
    CaptionedPhoto,
    DescribedSet,
    DetectedObject,
    DrawnPhoto,
    LabelledPhoto,
    LabelledSet,
    Split,
)

CAMVID_IDS = {0: 187, 1: 197, 2: 0, 3: 149, 4: 191, 5: 184, 6: 0, 7: 185, 8: 3, 9: 1, 10: 1, 11: 0}
"""Class of CamVid -> COCO panoptic category, 0 where there is none."""

HELD_OUT = (0, 3, 6)
"""Of every ten photos of COCO, sorted by name, those that are held out."""

CAMVID_EVERY = 4
"""Consecutive frames look alike: one in four is used."""


class Flickr8kCoco:
    """`recipes.mini.data.TrainingData` in a folder.

    Raises:
        BadInput: the folder holds no captions.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._flickr = folder, folder / "flickr8k"
        if not (self._flickr / "captions.jsonl").is_file():
            raise BadInput(f"{self._flickr / 'captions.jsonl'} does not exist")

    @cached_property
    def captioned(self) -> list[CaptionedPhoto]:
        """Photos of Flickr8k, in the order of `captions.jsonl`."""
        return [
            CaptionedPhoto(
                self._flickr / "images" / row["image"], row["split"], (*row["captions"],)
            )
            for row in _json_lines(self._flickr / "captions.jsonl")
        ]

    @cached_property
    def labelled(self) -> list[LabelledSet]:
        """COCO, whose photos are held out in part, Clothing Co-Parsing and CamVid."""
        coco = [
            LabelledPhoto(one.path, one.mask, "dev" if number % 10 in HELD_OUT else "train")
            for number, one in enumerate(self._labelled_photos("coco_panoptic"))
        ]
        coco_ids = {row.id: row.id for row in panoptic_classes()}
        # Each garment, and skin, belongs to a person.
        ccp_ids = dict.fromkeys(range(1, 256), 1)
        return [
            LabelledSet(
                "coco_panoptic", coco, _table(coco_ids),
                crops=8, complete=True, weight=3.0, codebook_repeats=4,
            ),
            LabelledSet(
                "ccp", self._labelled_photos("ccp"), _table(ccp_ids),
                weight=0.25, codebook_repeats=1, decoder=True,
            ),
            LabelledSet(
                "camvid", self._labelled_photos("camvid")[::CAMVID_EVERY], _table(CAMVID_IDS),
                crops=2, complete=True, weight=0.25,
            ),
        ]  # fmt: skip

    @cached_property
    def described(self) -> list[DescribedSet]:
        """Rooms of ADE20K, photos of COCO, and one photo of each class of ImageNet."""
        rooms = {
            name: (" ".join(texts["details"][:2]), *texts["details"], *texts["full"])
            for name, texts in self._texts("ade_rooms").items()
        }
        return [
            DescribedSet("ade_rooms", self._described("ade_rooms", rooms)),
            self._described_set("coco_captions"),
            # Single words, which would count too much among sentences.
            self._described_set("imagenet_names", repeats=0.05),
        ]

    @cached_property
    def drawn(self) -> list[DrawnPhoto]:
        """Photos of BSDS500 and what people drew of them."""
        folder = self._folder / "bsds_drawings"
        return [
            DrawnPhoto(
                path,
                (*sorted((folder / "sketches_each").glob(f"{path.stem}_*.png")),),
                split_of(path),
            )
            for path in _photos_in(folder / "images")
        ]

    def objects(self, photo: CaptionedPhoto) -> list[DetectedObject]:
        """Objects that YOLOv7 found in a photo of Flickr8k."""
        return [
            DetectedObject(row["category_id"], row["score"], tuple(row["box"]))
            for row in self._instances.get(photo.path.name, [])
        ]

    def object_numbers(self, photo: CaptionedPhoto) -> NDArray[np.uint8]:
        """(SIDE, SIDE) numbers of its instance masks, 0 for none."""
        path = self._flickr / "instances" / f"{photo.path.stem}.png"
        if not path.is_file():
            return np.zeros((SIDE, SIDE), np.uint8)
        with Image.open(path) as image:
            return np.array(image)

    def object_map(self, photo: CaptionedPhoto) -> NDArray[np.uint8]:
        """(SIDE, SIDE) category ids of its instance masks."""
        rows = self._instances.get(photo.path.name, [])
        table = _table({row["index"]: row["category_id"] for row in rows})
        ids: NDArray[np.uint8] = table[self.object_numbers(photo)]
        return ids

    @cached_property
    def _instances(self) -> dict[str, list[dict[str, Any]]]:
        rows = _json_lines(self._flickr / "instances.jsonl")
        return {row["image"]: row["instances"] for row in rows}

    def _described_set(self, name: str, repeats: float = 1.0) -> DescribedSet:
        return DescribedSet(name, self._described(name, self._texts(name)), repeats)

    def _described(self, name: str, texts: Mapping[str, Sequence[str]]) -> list[CaptionedPhoto]:
        return [
            CaptionedPhoto(path, split_of(path), (*texts[path.name],))
            for path in _photos_in(self._folder / name / "images")
        ]

    def _texts(self, name: str) -> dict[str, Any]:
        path = self._folder / name / "captions.json"
        if not path.is_file():
            return {}
        texts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return texts

    def _labelled_photos(self, name: str) -> list[LabelledPhoto]:
        folder = self._folder / name
        return [
            LabelledPhoto(path, folder / "masks" / f"{path.stem}.png")
            for path in sorted((folder / "images").iterdir())
        ]


def split_of(path: Path) -> Split:
    """The part of a photo of a set without parts of its own: every fifth is held out."""
    return "dev" if zlib.crc32(path.name.encode()) % 5 == 0 else "train"


def _photos_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _table(ids: Mapping[int, int]) -> NDArray[np.uint8]:
    """(256,) lookup table; 0 where nothing is given."""
    table = np.zeros(256, np.uint8)
    table[list(ids)] = list(ids.values())
    return table


def _json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
