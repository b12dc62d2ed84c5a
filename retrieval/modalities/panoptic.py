"""Segmentation maps of COCO panoptic classes.

A map may come as
- a grey image, 8 or 16 bits, whose values are category ids (0 = nothing);
- an RGB image in the colours that `fourm classes` prints (black = nothing);
- a palette image: by its colours when all that it uses are class colours, else by its indices;
- an array of any of these, or a `.npy` file of one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fourm.messages import shown
from fourm.modalities.palette import written_colour
from fourm.modalities.seg import PanopticClass, panoptic_classes
from retrieval.errors import QueryError
from retrieval.images.decoding import MAX_PIXELS
from retrieval.inputs import Input, existing_file
from retrieval.inputs.arrays import read_npy

NOTHING = 0
"""Id of pixels without a class."""

NOTHING_COLOUR = (0, 0, 0)

Ids = NDArray[np.int32]

_LOSSY = {"JPEG", "MPO"}
_FORMATS = ("PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG")
_SHOWN = 3


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


def read_map(source: object, *, bgr: bool = False) -> Input:
    """A map of category ids, int32 (H, W), at the size it was given.

    Raises:
        QueryError: no such file, not a map, an id or a colour that no class has (the message names
            it and says how many pixels have it).
    """
    if isinstance(source, (str, os.PathLike)):
        path = existing_file(source, "a segmentation map")
        return Input("seg", _from_file(path), path.name)
    if isinstance(source, Image.Image):
        return Input("seg", _from_image(source, "seg"))
    try:
        array = np.asarray(source)
    except Exception as error:  # whatever the object's own conversion raises
        raise QueryError(f"cannot be read as an array ({error})", where="seg") from None
    if bgr and array.ndim == 3:
        array = array[..., ::-1]
    return Input("seg", _from_array(array, "seg"))


def _from_file(path: Path) -> Ids:
    if path.suffix.lower() == ".npy":
        return _from_array(read_npy(path), str(path))
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.format in _LOSSY:
                raise QueryError(
                    f"{opened.format} changes the values of a map; save it as PNG", where=path
                )
            if opened.width * opened.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            opened.load()
            return _from_image(opened, str(path))
    except QueryError:
        raise
    except UnidentifiedImageError:
        raise QueryError("not an image; expected a PNG or a .npy array", where=path) from None
    except Image.DecompressionBombError:
        raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=path) from None
    except PermissionError:
        raise QueryError("no permission to read the file", where=path) from None
    except Exception as error:  # whatever a decoder stumbles over
        raise QueryError(f"truncated or damaged ({error})", where=path) from None


def _from_image(image: Image.Image, where: str) -> Ids:
    mode = image.mode
    if mode == "P":
        return _from_palette(image, where)
    if mode in ("L", "1") or mode.startswith("I"):
        return _checked_ids(np.asarray(image), where)
    if mode == "LA":
        grey, alpha = np.moveaxis(np.asarray(image), -1, 0)
        return _checked_ids(np.where(alpha == 0, 0, grey), where)
    if mode == "RGBA":
        pixels = np.array(image)
        pixels[pixels[..., 3] == 0] = 0
        return _from_colours(pixels[..., :3], where)
    if mode == "RGB":
        return _from_colours(np.asarray(image), where)
    raise QueryError(
        f"an image of mode {mode} is not a segmentation map; save it as a grey PNG of ids",
        where=where,
    )


def _from_palette(image: Image.Image, where: str) -> Ids:
    indices = np.asarray(image)
    entries = np.zeros((256, 3), np.uint8)
    palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    entries[: len(palette)] = palette
    ids, strange = coco_panoptic().ids_of_colours(entries[indices])
    if not strange:
        return ids
    if not coco_panoptic().unknown_ids(indices):
        return indices.astype(np.int32)
    raise QueryError(
        f"{_colour_error(strange)}; nor are the palette's indices category ids", where=where
    )


def _from_array(array: NDArray[np.generic], where: str) -> Ids:
    coloured = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
    if not coloured and (array.ndim != 2 or array.dtype.kind not in "iub"):
        raise QueryError(
            "expected whole numbers (H, W) or uint8 colours (H, W, 3), "
            f"got {array.dtype} {shown(array.shape)}",
            where=where,
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=where)
    return _from_colours(array.astype(np.uint8), where) if coloured else _checked_ids(array, where)


def _checked_ids(values: NDArray[np.generic], where: str) -> Ids:
    numbers = values.astype(np.uint8) if values.dtype.kind == "b" else values
    if not numbers.size:
        raise QueryError("the map has no pixels", where=where)
    strange = coco_panoptic().unknown_ids(numbers)
    if strange:
        named = [f"id {number} ({_pixels(count)})" for number, count in strange]
        raise QueryError(
            f"{_some(named)} is not a COCO panoptic category; `fourm classes` lists them",
            where=where,
        )
    return numbers.astype(np.int32)


def _from_colours(pixels: NDArray[np.uint8], where: str) -> Ids:
    if not pixels.size:
        raise QueryError("the map has no pixels", where=where)
    ids, strange = coco_panoptic().ids_of_colours(pixels)
    if strange:
        raise QueryError(_colour_error(strange), where=where)
    return ids


def _colour_error(strange: list[tuple[tuple[int, int, int], int]]) -> str:
    named = [f"colour {written_colour(colour)} ({_pixels(count)})" for colour, count in strange]
    hint = "`fourm classes` lists the colours"
    if all(red == green == blue for (red, green, blue), _ in strange):
        hint = "if its greys are category ids, save it as a grey PNG"
    return f"{_some(named)} belongs to no class; {hint}"


def _pixels(count: int) -> str:
    return f"{count} pixel" if count == 1 else f"{count} pixels"


def _some(named: list[str]) -> str:
    rest = len(named) - _SHOWN
    return ", ".join(named[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
