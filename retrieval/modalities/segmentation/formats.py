"""What the ids and colours of segmentation maps mean in each data set.

`formats.json` maps the classes of COCO-Stuff, ADE20K, Cityscapes and Pascal VOC to the nearest
COCO panoptic class; 0 where there is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from fourm.modalities.seg import panoptic_classes
from retrieval.modalities.panoptic import NOTHING, NOTHING_COLOUR, Ids, coco_panoptic

Colour = tuple[int, int, int]

VOID = (255, -1)
"""Ids that mean nothing in every format."""

ENOUGH = 0.95
"""Share of the pixels that have to fit a drawing or a mask with soft edges."""

COMMON = frozenset(
    {1, 3, 149, 154, 155, 159, 178, 184, 185, 186, 187, 190, 191, 192, 193, 194, 197, 198, 199}
)
"""Categories that cover most of a typical photo: person, car, sky, grass, road, wall ..."""

# Cityscapes' labelIds in the order of its trainIds.
_TRAIN_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


@dataclass(frozen=True)
class SegFormat:
    """One format of maps.

    Attributes:
        name: as shown, e.g. `"ade20k"`.
        option: value of `--seg-format` that reads it.
        categories: id -> COCO panoptic category id, 0 = nothing.
        names: id -> the data set's own name.
        colours: colour -> COCO panoptic category id, of the data set's palette.
    """

    name: str
    option: str
    categories: Mapping[int, int]
    names: Mapping[int, str]
    colours: Mapping[Colour, int] = field(default_factory=dict)

    def unknown(self, values: NDArray[np.generic]) -> list[tuple[int, int]]:
        """(id, pixel count) of the values that it does not have, the most frequent first."""
        found, counts = np.unique(values, return_counts=True)
        strange = [
            (int(value), int(count))
            for value, count in zip(found, counts, strict=True)
            if int(value) not in self.categories and int(value) not in VOID
        ]
        return sorted(strange, key=lambda pair: -pair[1])

    def read(self, values: NDArray[np.generic]) -> Ids:
        """Its ids as COCO panoptic category ids; what it does not have is nothing."""
        found, where = np.unique(values, return_inverse=True)
        table = np.array([self.categories.get(int(value), NOTHING) for value in found], np.int32)
        return table[where].reshape(values.shape)


@cache
def formats() -> Mapping[str, SegFormat]:
    """Name -> format of maps of ids; Cityscapes' trainIds are one of their own."""
    rows = panoptic_classes()
    table = coco_panoptic()
    colours = {colour: number for number, colour in table.colours.items()}
    found = [
        SegFormat("coco", "coco", {number: number for number in table.names}, table.names, colours),
        SegFormat(
            "coco-contiguous",
            "coco-contiguous",
            {index: row.id for index, row in enumerate(rows)},
            {index: row.name for index, row in enumerate(rows)},
        ),
    ]
    text = files(__package__).joinpath("formats.json").read_text(encoding="utf-8")
    for name, entries in json.loads(text).items():
        palette: dict[Colour, int] = {NOTHING_COLOUR: NOTHING}
        for row in entries:
            if "colour" in row:
                # ADE20K gives one colour to two classes; the first is by far the more frequent.
                palette.setdefault(tuple(row["colour"]), row["class"])
        if name == "voc":
            palette[224, 224, 192] = NOTHING
        found.append(
            SegFormat(
                name,
                name,
                {row["id"]: row["class"] for row in entries},
                {row["id"]: row["name"] for row in entries},
                palette if len(palette) > 1 else {},
            )
        )
    named = {entry.name: entry for entry in found}
    streets = named["cityscapes"]
    named["cityscapes trainIds"] = SegFormat(
        "cityscapes trainIds",
        "cityscapes",
        {index: streets.categories[number] for index, number in enumerate(_TRAIN_IDS)},
        {index: streets.names[number] for index, number in enumerate(_TRAIN_IDS)},
    )
    return named


def short_name(name: str) -> str:
    """The short name of a class: `sky` for `sky-other-merged`."""
    return name.removesuffix("-merged").removesuffix("-other").removesuffix("-stuff")


def shares(ids: Ids, most: int = 6) -> str:
    """What a map holds: `sky 40 %, grass 35 %, person 8 %, nothing 17 %`."""
    return named_shares(class_shares(ids), most)


def class_shares(ids: Ids) -> dict[int, float]:
    """Id -> share of the pixels of a map, 0 to 1."""
    found, counts = np.unique(ids, return_counts=True)
    return {int(number): count / ids.size for number, count in zip(found, counts, strict=True)}


def named_shares(of: Mapping[int, float], most: int = 6) -> str:
    """Shares of classes in words, the largest first."""
    parts = dict(of)
    nothing = parts.pop(NOTHING, 0.0)
    names = coco_panoptic().names
    listed = [
        f"{short_name(names[number])} {_percent(share)}"
        for number, share in sorted(parts.items(), key=lambda pair: -pair[1])
    ]
    if len(listed) > most:
        listed = [*listed[:most], f"{len(listed) - most} more"]
    if nothing or not listed:
        listed.append(f"nothing {_percent(nothing)}")
    return ", ".join(listed)


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.01 else "< 1 %"
