"""Boxes: typed, and in COCO JSON and YOLO text files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fourm.messages import shown
from fourm.modalities.boxes import Box, check_box, crop_boxes, read_box
from fourm.modalities.decimals import decimal
from fourm.modalities.pixels import square_box
from fourm.modalities.sam import SIDE
from fourm.modalities.seg import panoptic_classes
from retrieval.errors import QueryError
from retrieval.inputs import Input, errors_of, existing_file, path_like
from retrieval.inputs.json_files import flat_numbers, objects, parse_json, the_image


def read_boxes(source: object, suffixes: Sequence[str]) -> Input:
    """Labelled boxes.

    Args:
        source: `person:0.1,0.2,0.4,0.9`, a COCO (.json) or YOLO (.txt) file, a `Box`, or a list of
            any of these.
        suffixes: of the strings that are paths of files.

    Raises:
        QueryError: none of them, or a box that cannot be.
    """
    entries = source if isinstance(source, (list, tuple)) else [source]
    boxes: list[Box] = []
    name = None
    for entry in entries:
        if path_like(entry, suffixes):
            path = existing_file(str(entry), "a COCO or YOLO file")
            boxes += boxes_of_file(path)
            name = path.name
            continue
        with errors_of("boxes"):
            if isinstance(entry, Box):
                check_box(entry)
                boxes.append(entry)
            elif isinstance(entry, str):
                boxes.append(read_box(entry))
            else:
                raise QueryError(
                    f"expected class:xmin,ymin,xmax,ymax or a file, got {shown(entry)}",
                    where="boxes",
                )
    if not boxes:
        where = "boxes" if name is None else ", ".join(map(str, entries))
        raise QueryError("expected at least one box in the central square, got none", where=where)
    return Input("boxes", boxes, name)


def coco_text(boxes: Sequence[Box]) -> str:
    """Boxes as COCO's object about one image, the square that the model sees."""
    things = [row for row in panoptic_classes() if row.is_thing]
    numbers = {row.name: row.id for row in things}
    annotations = []
    for number, box in enumerate(boxes, start=1):
        x, y = box.xmin * SIDE, box.ymin * SIDE
        width, height = (box.xmax - box.xmin) * SIDE, (box.ymax - box.ymin) * SIDE
        annotations.append(
            {
                "id": number,
                "image_id": 1,
                "category_id": numbers[box.name],
                "bbox": [round(edge, 4) for edge in (x, y, width, height)],
                "area": round(width * height, 3),
                "iscrowd": 0,
                "score": box.score,
            }
        )
    content = {
        "images": [{"id": 1, "width": SIDE, "height": SIDE}],
        "annotations": annotations,
        "categories": [{"id": row.id, "name": row.name} for row in things],
    }
    return json.dumps(content, allow_nan=False) + "\n"


def boxes_of_file(path: Path) -> list[Box]:
    """Boxes of a COCO file about one image (.json), or of a YOLO file (.txt).

    COCO boxes are converted to the central square, which is what the model sees of an image. YOLO
    files do not say the image's size: their fractions count as fractions of the square.

    Raises:
        QueryError: neither, or a box that cannot be.
    """
    with errors_of(path):
        return _coco(path) if path.suffix.lower() == ".json" else _yolo(path)


def _coco(path: Path) -> list[Box]:
    content = parse_json(path)
    width, height = the_image(content, str(path))
    names = _names(content)
    boxes = []
    for number, entry in enumerate(objects(content, "annotations", str(path)), start=1):
        where = f"{path}: annotation {number}"
        edges = flat_numbers(entry.get("bbox"), f"{where}: bbox")
        if len(edges) != 4 or edges[2] <= 0 or edges[3] <= 0:
            raise QueryError("bbox should be x, y, width, height in pixels", where=where)
        category = entry.get("category_id")
        if type(category) is not int or category not in names:
            raise QueryError(f"no class has the category_id {shown(category)}", where=where)
        score = entry.get("score", 1.0)
        x, y, across, down = edges
        boxes.append(
            Box(
                _share(x, width),
                _share(y, height),
                _share(x + across, width),
                _share(y + down, height),
                names[category],
                score,
            )
        )
        with errors_of(where):
            check_box(boxes[-1])
    return crop_boxes(boxes, (width, height), square_box(width, height))


def _share(pixels: float, side: int) -> float:
    return min(max(pixels / side, 0.0), 1.0)


def _names(content: Any) -> dict[int, str]:
    listed = content.get("categories")
    if not isinstance(listed, list):
        return {row.id: row.name for row in panoptic_classes() if row.is_thing}
    return {
        row["id"]: row["name"]
        for row in listed
        if isinstance(row, dict) and type(row.get("id")) is int and isinstance(row.get("name"), str)
    }


def _yolo(path: Path) -> list[Box]:
    things = [row.name for row in panoptic_classes() if row.is_thing]
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise QueryError(f"cannot be read ({error.strerror})", where=path) from None
    except UnicodeDecodeError as error:
        raise QueryError(f"not UTF-8 text ({error.reason})", where=path) from None
    boxes = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        try:
            index = decimal(words[0])
            x, y, width, height, *rest = map(decimal, words[1:])
            if index not in range(len(things)) or len(rest) > 1:
                raise ValueError
        except ValueError:
            raise QueryError(
                f"{path}:{number}: expected class (0 to {len(things) - 1}), x and y of the middle, "
                "width, height and perhaps a score"
            ) from None
        edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        # Written with six decimals, a box at the border ends a little beyond it.
        xmin, ymin, xmax, ymax = (_rounded(edge) for edge in edges)
        boxes.append(Box(xmin, ymin, xmax, ymax, things[int(index)], rest[0] if rest else 1.0))
        with errors_of(f"{path}:{number}"):
            check_box(boxes[-1])
    return boxes


def _rounded(edge: float) -> float:
    if -1e-4 <= edge < 0:
        return 0.0
    return 1.0 if 1 < edge <= 1 + 1e-4 else edge
