"""The table of the COCO panoptic classes: names, colours and ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fourm.modalities.seg import PanopticClass, panoptic_classes

NOTHING = 0
"""Id of pixels without a class."""

NOTHING_COLOUR = (0, 0, 0)

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class ClassTable:
    """Names, colours and ids of the classes."""

    names: dict[int, str]
    colours: dict[int, tuple[int, int, int]]

    @classmethod
    def of(cls, classes: Iterable[PanopticClass]) -> ClassTable:
        """The table of these classes, and of id 0 in black for nothing."""
        found = list(classes)
        names = {NOTHING: "nothing", **{entry.id: entry.name for entry in found}}
        colours = {NOTHING: NOTHING_COLOUR, **{entry.id: entry.colour for entry in found}}
        return cls(names, colours)

    def unknown_ids(self, values: NDArray[np.generic]) -> list[tuple[int, int]]:
        """(id, pixel count) of the values without a class, the most frequent first."""
        found, counts = np.unique(values, return_counts=True)
        strange = [
            (int(value), int(count))
            for value, count in zip(found, counts, strict=True)
            if int(value) not in self.names
        ]
        return sorted(strange, key=lambda pair: -pair[1])

    def ids_of_colours(
        self, pixels: NDArray[np.uint8]
    ) -> tuple[Ids, list[tuple[tuple[int, int, int], int]]]:
        """Ids of RGB pixels (..., 3), and (colour, pixel count) of colours that no class has.

        Where a colour is unknown, the id is 0.
        """
        packed = pixels.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
        found, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
        by_colour = {
            red << 16 | green << 8 | blue: number
            for number, (red, green, blue) in reversed(self.colours.items())
        }
        ids = np.array([by_colour.get(int(value), NOTHING) for value in found], np.int32)
        strange = [
            ((int(value) >> 16, int(value) >> 8 & 255, int(value) & 255), int(count))
            for value, count in zip(found, counts, strict=True)
            if int(value) not in by_colour
        ]
        return ids[where].reshape(packed.shape), sorted(strange, key=lambda pair: -pair[1])

    def paint(self, ids: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Ids (H, W) as an RGB image, uint8 (H, W, 3), in the classes' colours."""
        lookup = np.zeros((max(self.colours) + 1, 3), np.uint8)
        for number, colour in self.colours.items():
            lookup[number] = colour
        painted: NDArray[np.uint8] = lookup[ids]
        return painted


@cache
def coco_panoptic() -> ClassTable:
    """The table of the 133 COCO panoptic classes."""
    return ClassTable.of(panoptic_classes())
