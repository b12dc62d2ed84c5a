"""Masks of objects in COCO's forms, run lengths or polygons: reading and writing them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fourm.modalities.sam import Mask, square_mask, square_outlines, square_point
from retrieval.errors import QueryError
from retrieval.images.decoding import MAX_PIXELS
from retrieval.inputs import Input, errors_of
from retrieval.inputs.json_files import flat_numbers, load_json, objects, the_image, whole_numbers

_MOST = 200
_LARGE = 1 << 20
_MOST_PIXELS = 1 << 31


def read_masks(source: object) -> Input:
    """Masks of the objects of one image.

    Args:
        source: a JSON file or its content: a list of objects with `segmentation` (run lengths) as
            SAM's automatic generator writes them, or COCO's object with `annotations` and the
            image's size, which polygons need. `point_coords` may name a pixel of the object.
            A list of `Mask` is used as it is.

    Raises:
        QueryError: another form.
    """
    content, where, name = load_json(source, "sam")
    size = None
    if isinstance(content, dict):
        size = the_image(content, where)
    elif not _are_masks(content):
        content = {"annotations": content}
    entries: list[Any] = content if _are_masks(content) else objects(content, "annotations", where)
    if not entries:
        raise QueryError("expected at least one object, got none", where=where)
    if len(entries) > _MOST:
        raise QueryError(f"{len(entries)} objects; give at most {_MOST}", where=where)
    _check_work(entries, size, where)
    masks: list[Mask] = []
    first: tuple[int, ...] | None = None if size is None else size[::-1]
    for number, entry in enumerate(entries, start=1):
        mask = entry if isinstance(entry, Mask) else _mask(entry, size, f"{where}: object {number}")
        first = first or mask.pixels.shape
        if mask.pixels.shape != first:
            raise QueryError(
                f"object {number} has a mask of {mask.pixels.shape[::-1]} pixels, expected "
                f"{first[::-1]}; give objects of one image",
                where=where,
            )
        masks.append(_light(mask))
    with errors_of(where):
        square_outlines(masks)
    return Input("sam", masks, name)


def _check_work(entries: list[Any], size: tuple[int, int] | None, where: str) -> None:
    """Refuse what would take minutes: a few bytes may stand for a mask of any size."""
    total = 0
    for number, entry in enumerate(entries, start=1):
        shape = entry.get("segmentation") if isinstance(entry, dict) else None
        if isinstance(shape, dict):
            total += math.prod(_size_of(shape, f"{where}: object {number}"))
        elif shape and size is not None:
            total += math.prod(size)
    if total > _MOST_PIXELS:
        raise QueryError(
            f"masks of {total} pixels together; give at most {_MOST_PIXELS}, for example of a "
            "smaller image",
            where=where,
        )


def _are_masks(content: object) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(m, Mask) for m in content)


def _light(mask: Mask) -> Mask:
    """The same to the model: large masks by the hundred would take gigabytes."""
    height, width = mask.pixels.shape
    if height * width <= _LARGE:
        return mask
    point = None if mask.point is None else square_point(mask.point, (width, height))
    return Mask(square_mask(mask.pixels), point)


def _mask(entry: dict[str, Any], size: tuple[int, int] | None, where: str) -> Mask:
    shape = entry.get("segmentation")
    if isinstance(shape, dict):
        pixels = _run_lengths(shape, where)
    elif isinstance(shape, list) and size is not None:
        pixels = _polygons(shape, size, where)
    else:
        raise QueryError(
            "segmentation must be run lengths (size, counts), or polygons in a file "
            "with the image's width and height",
            where=where,
        )
    point = None
    if entry.get("point_coords") is not None:
        numbers = flat_numbers(entry["point_coords"], f"{where}: point_coords")
        if len(numbers) < 2:
            raise QueryError("point_coords must be x and y in pixels", where=where)
        point = (numbers[0], numbers[1])
    return Mask(pixels, point)


def _size_of(shape: dict[str, Any], where: str) -> tuple[int, int]:
    """Height and width of a mask in run lengths."""
    size = flat_numbers(shape.get("size"), f"{where}: size")
    if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise QueryError("size must be height and width in pixels", where=where)
    height, width = int(size[0]), int(size[1])
    if height * width > MAX_PIXELS:
        raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=where)
    return height, width


def _run_lengths(shape: dict[str, Any], where: str) -> NDArray[np.uint8]:
    height, width = _size_of(shape, where)
    counts = shape.get("counts")
    runs = (
        decode_counts(counts, where)
        if isinstance(counts, str)
        else whole_numbers(counts, f"{where}: counts")
    )
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise QueryError(f"the run lengths do not add up to {height} x {width} pixels", where=where)
    values = np.arange(len(runs), dtype=np.uint8) % 2
    columns: NDArray[np.uint8] = np.repeat(values, runs).reshape(width, height)
    mask: NDArray[np.uint8] = columns.T
    return mask


def decode_counts(text: str, where: str = "counts") -> list[int]:
    """COCO's compressed run lengths: six bits a character, differences to the run before last.

    Raises:
        QueryError: another character, or an end within a number.
    """
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise QueryError(f"{character!r} is not part of COCO's compressed counts", where=where)
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise QueryError("the compressed counts end within a number", where=where)
    return runs


def _polygons(shape: list[Any], size: tuple[int, int], where: str) -> NDArray[np.uint8]:
    if size[0] * size[1] > MAX_PIXELS:
        raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=where)
    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    for polygon in shape:
        numbers = flat_numbers(polygon, f"{where}: polygon")
        if len(numbers) < 6 or len(numbers) % 2:
            raise QueryError("a polygon is x, y of at least three corners", where=where)
        if max(map(abs, numbers)) > 1 << 20:
            raise QueryError("a polygon reaches far beyond its image", where=where)
        draw.polygon(list(zip(numbers[::2], numbers[1::2], strict=True)), fill=1)
    return np.array(image)


def coco_text(masks: Sequence[Mask]) -> str:
    """Masks as SAM's automatic generator writes objects, run lengths in COCO's order."""
    entries = []
    for mask in masks:
        rows, columns = np.nonzero(mask.pixels)
        left, top = int(columns.min()), int(rows.min())
        entry = {
            "segmentation": {"size": list(mask.pixels.shape), "counts": run_lengths(mask.pixels)},
            "bbox": [left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1],
            "area": len(rows),
        }
        if mask.point is not None:
            entry["point_coords"] = [[int(edge) for edge in mask.point]]
        entries.append(entry)
    return json.dumps(entries, allow_nan=False) + "\n"


def run_lengths(mask: NDArray[Any]) -> list[int]:
    """COCO's run lengths of a mask (H, W): column by column, starting with the background."""
    flat = (np.asarray(mask) != 0).T.reshape(-1).astype(np.int8)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    bounds = [0, *changes, len(flat)]
    return [high - low for low, high in pairwise(bounds)]
