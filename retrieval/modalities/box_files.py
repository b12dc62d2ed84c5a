"""Boxes: typed, and in COCO JSON and YOLO text files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fourm.messages import shown
from fourm.modalities.boxes import Box, check_box, crop_boxes, read_box
from fourm.modalities.decimals import decimal
from fourm.modalities.pixels import square_box
from fourm.modalities.sam import SAM_SIDE
from fourm.modalities.seg import panoptic_classes
from retrieval.errors import QueryError
from retrieval.inputs import Input, bounded_text, errors_of, existing_file, path_like
from retrieval.inputs.images import open_image
from retrieval.inputs.json_files import flat_numbers, objects, parse_json, size_of, the_image
from retrieval.modalities.box_classes import class_list
from retrieval.modalities.segmentation.names import class_named
from retrieval.suffixes import IMAGE_SUFFIXES

Boxes = tuple[list[Box], list[str]]
"""Boxes of a file, and notes on how they were read."""

_MOST = 1000


def read_boxes(source: object, suffixes: Sequence[str]) -> Input:
    """Labelled boxes.

    Args:
        source: `person:0.1,0.2,0.4,0.9`, a COCO (.json) or YOLO (.txt) file, a `Box`, or a list of
            any of these.
        suffixes: of the strings that are paths of files.

    Raises:
        QueryError: none of them, or an invalid box.
    """
    entries = source if isinstance(source, (list, tuple)) else [source]
    _check_count(len(entries), "boxes")
    boxes: list[Box] = []
    notes: list[str] = []
    name = None
    for entry in entries:
        if path_like(entry, suffixes):
            path = existing_file(str(entry), "a COCO or YOLO file")
            found, said = boxes_of_file(path)
            boxes += found
            notes += said
            name = path.name
            continue
        with errors_of("boxes"):
            if isinstance(entry, Box):
                check_box(entry)
                boxes.append(entry)
            elif isinstance(entry, str):
                boxes.append(read_box(_with_coco_name(entry)))
            else:
                raise QueryError(
                    f"expected class:xmin,ymin,xmax,ymax or a file, got {shown(entry)}",
                    where="boxes",
                )
    if not boxes:
        where = "boxes" if name is None else ", ".join(map(str, entries))
        raise QueryError("expected at least one box in the central square, got none", where=where)
    if name is not None:
        counts = Counter(box.name for box in boxes)
        listing = ", ".join(f"{count} {one}" for one, count in counts.items())
        notes.insert(0, f"read as: {listing}")
    return Input("boxes", boxes, name, notes=tuple(notes))


def _with_coco_name(text: str) -> str:
    """A typed box with COCO's name of its class."""
    name, _, numbers = text.rpartition(":")
    if not name or numbers.count(",") != 3:
        return text  # `read_box` says what is missing
    return f"{thing_named(name.strip(), 'boxes')}:{numbers}"


def coco_text(boxes: Sequence[Box]) -> str:
    """Boxes as COCO's object about one image, the square that the model sees."""
    things = [row for row in panoptic_classes() if row.is_thing]
    numbers = {row.name: row.id for row in things}
    annotations = []
    for number, box in enumerate(boxes, start=1):
        x, y = box.xmin * SAM_SIDE, box.ymin * SAM_SIDE
        width, height = (box.xmax - box.xmin) * SAM_SIDE, (box.ymax - box.ymin) * SAM_SIDE
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
        "images": [{"id": 1, "width": SAM_SIDE, "height": SAM_SIDE}],
        "annotations": annotations,
        "categories": [{"id": row.id, "name": row.name} for row in things],
    }
    return json.dumps(content, allow_nan=False) + "\n"


def boxes_of_file(path: Path) -> Boxes:
    """Boxes of a COCO or LabelMe file about one image (.json), or of a YOLO file (.txt).

    COCO boxes are converted to the central square, which is what the model sees of an image. YOLO
    files do not say the image's size: their fractions count as fractions of the square.

    Raises:
        QueryError: neither, or an invalid box.
    """
    with errors_of(path):
        return _coco(path) if path.suffix.lower() == ".json" else _yolo(path)


def _coco(path: Path) -> Boxes:
    content, notes = parse_json(path), []
    if isinstance(content, dict) and "shapes" in content:
        return _labelme(content, path)
    if isinstance(content, list):
        content = _of_results(content, path)
    size = the_image(content, str(path))
    listed = objects(content, "annotations", str(path))
    _check_count(len(listed), path)
    names = _names(content)
    if not isinstance(content.get("categories"), list) and any(
        entry.get("category_id") == 0 for entry in listed
    ):
        names = dict(enumerate(_things()))
        notes.append("its category ids count from 0")
    boxes = []
    for number, entry in enumerate(listed, start=1):
        where = f"{path}: annotation {number}"
        edges = flat_numbers(entry.get("bbox"), f"{where}: bbox")
        if len(edges) != 4 or edges[2] <= 0 or edges[3] <= 0:
            raise QueryError("bbox must be x, y, width, height in pixels", where=where)
        category = entry.get("category_id")
        if type(category) is not int or category not in names:
            raise QueryError(f"no class has the category_id {shown(category)}", where=where)
        x, y, across, down = edges
        corners = (x, y, x + across, y + down)
        boxes.append(_box(corners, size, names[category], entry.get("score", 1.0), where))
    return crop_boxes(boxes, size, square_box(*size)), notes


def _check_count(count: int, where: object) -> None:
    if count > _MOST:
        raise QueryError(f"{count} boxes; give at most {_MOST}, about one image", where=where)


def _of_results(listed: list[Any], path: Path) -> dict[str, Any]:
    """A list of COCO results as the object about its image, whose file lies beside it."""
    images = {str(one.get("image_id")) for one in listed if isinstance(one, dict)}
    if len(images) > 1:
        raise QueryError(
            f"COCO results of {len(images)} images; give a file about one image", where=path
        )
    for suffix in sorted(IMAGE_SUFFIXES):
        if (file := path.with_suffix(suffix)).is_file():
            photo = open_image(file)
            return {"width": photo.size[0], "height": photo.size[1], "annotations": listed}
    raise QueryError(
        "a list of COCO results does not say the size of the image; put the image of the same "
        "name beside it, or give an object with width, height and annotations",
        where=path,
    )


def _labelme(content: dict[str, Any], path: Path) -> Boxes:
    """The boxes around the shapes of a LabelMe file."""
    size = size_of(
        {"width": content.get("imageWidth"), "height": content.get("imageHeight")}, str(path)
    )
    boxes = []
    listed = objects(content, "shapes", str(path))
    _check_count(len(listed), path)
    for number, entry in enumerate(listed, start=1):
        where = f"{path}: shape {number}"
        label = entry.get("label")
        points = flat_numbers(entry.get("points"), f"{where}: points")
        if not isinstance(label, str) or len(points) < 4 or len(points) % 2:
            raise QueryError("expected a label and at least two points", where=where)
        boxes.append(_box(_around(points), size, label, 1.0, where))
    return crop_boxes(boxes, size, square_box(*size)), []


def _around(points: Sequence[float]) -> tuple[float, float, float, float]:
    """xmin, ymin, xmax, ymax of points x, y, x, y ..."""
    return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])


def _box(corners: Sequence[float], size: tuple[int, int], name: str, score: Any, where: str) -> Box:
    """A box in pixels as one in fractions, within the image."""
    edges = [
        min(max(edge / side, 0.0), 1.0) for edge, side in zip(corners, (*size, *size), strict=True)
    ]
    box = Box(edges[0], edges[1], edges[2], edges[3], thing_named(name, where), score)
    with errors_of(where):
        check_box(box)
    return box


def thing_named(name: str, where: object) -> str:
    """COCO's name of a class that boxes can have, as `class_named` finds it."""
    return class_named(name, where, things=True).name


def _things() -> list[str]:
    return [row.name for row in panoptic_classes() if row.is_thing]


def _names(content: Any) -> dict[int, str]:
    listed = content.get("categories")
    if not isinstance(listed, list):
        return {row.id: row.name for row in panoptic_classes() if row.is_thing}
    return {
        row["id"]: row["name"]
        for row in listed
        if isinstance(row, dict) and type(row.get("id")) is int and isinstance(row.get("name"), str)
    }


def _yolo(path: Path) -> Boxes:
    try:
        lines = bounded_text(path).splitlines()
    except OSError as error:
        raise QueryError(f"cannot be read ({error.strerror})", where=path) from None
    except UnicodeDecodeError as error:
        raise QueryError(f"not UTF-8 text ({error.reason})", where=path) from None
    _check_count(sum(map(bool, map(str.strip, lines))), path)
    classes, notes = dict(enumerate(_things())), []
    if (listed := class_list(path)) is not None:
        classes = listed[0]
        notes.append(f"its classes are those of {listed[1].name}")
    boxes = []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        where = f"{path}:{number}"
        try:
            index = decimal(words[0])
            numbers = list(map(decimal, words[1:]))
            if index not in classes or not (len(numbers) in (4, 5) or _is_outline(numbers)):
                raise ValueError
        except ValueError:
            raise QueryError(
                f"{where}: expected class ({min(classes)} to {max(classes)}), x and y of the "
                "middle, width, height and optionally a score, or the corners of a polygon"
            ) from None
        if _is_outline(numbers):
            edges, score = _around(numbers), 1.0
        else:
            x, y, width, height = numbers[:4]
            edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            score = numbers[4] if len(numbers) > 4 else 1.0
        name = classes[int(index)]
        if listed is not None:
            name = thing_named(name, f"{where}: class {int(index)}")
        # Written with six decimals, a box at the border ends a little beyond it.
        xmin, ymin, xmax, ymax = (_rounded(edge) for edge in edges)
        boxes.append(Box(xmin, ymin, xmax, ymax, name, score))
        with errors_of(where):
            check_box(boxes[-1])
    return boxes, notes


def _is_outline(numbers: Sequence[float]) -> bool:
    return len(numbers) >= 6 and len(numbers) % 2 == 0


def _rounded(edge: float) -> float:
    if -1e-4 <= edge < 0:
        return 0.0
    return 1.0 if 1 < edge <= 1 + 1e-4 else edge
