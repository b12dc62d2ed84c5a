"""COCO's panoptic PNGs: ids of segments in RGB, R + 256 G + 65536 B, and a JSON of their classes.

The JSON lies beside the PNG (`000139.json`), or beside its folder (`panoptic_val2017.json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fourm.messages import shown
from retrieval.errors import QueryError
from retrieval.inputs.json_files import objects, parse_json
from retrieval.modalities.panoptic import NOTHING, Ids, coco_panoptic
from retrieval.modalities.segmentation.guessing import pixels as counted
from retrieval.modalities.segmentation.guessing import some


def annotation_of(path: Path) -> tuple[dict[int, int], Path] | None:
    """Segment id -> category id of a PNG, and the JSON that says so; None: no JSON names it.

    Raises:
        QueryError: a JSON names it, but does not have the form of COCO's.
    """
    for file in (path.with_suffix(".json"), path.parent.with_suffix(".json")):
        if not file.is_file():
            continue
        entries = _entries(file, file.stat().st_mtime_ns)
        if (entry := entries.get(path.name)) is not None:
            return segments_of(entry.get("segments_info"), f"{file}: {path.name}"), file
    return None


def segments_of(listed: Any, where: str) -> dict[int, int]:
    """Segment id -> class of `segments_info`: COCO's `category_id`, or `label_id`.

    Raises:
        QueryError: another form.
    """
    content = {"segments_info": listed}
    found = {}
    for entry in objects(content, "segments_info", where):
        number, label = entry.get("id"), entry.get("label_id", entry.get("category_id"))
        if type(number) is not int or type(label) is not int:
            raise QueryError(
                "segments_info must give each segment an id and a category_id, got "
                f"{shown(entry, 80)}",
                where=where,
            )
        found[number] = label
    return found


def ids_of_segments(pixels: NDArray[np.uint8], segments: Mapping[int, int], where: str) -> Ids:
    """Category ids of an RGB map (H, W, 3) of segment ids; segment 0 is nothing.

    Raises:
        QueryError: a segment that is not listed, or of a class that COCO panoptic does not have.
    """
    numbers = pixels.astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], np.int32)
    found, where_found, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    strange = [
        f"segment {number} ({counted(int(count))})"
        for number, count in zip(found, counts, strict=True)
        if number and int(number) not in segments
    ]
    if strange:
        raise QueryError(f"{some(strange)} is not in segments_info", where=where)
    table = np.array([segments.get(int(number), NOTHING) for number in found], np.int32)
    if unknown := coco_panoptic().unknown_ids(table):
        raise QueryError(
            f"category_id {unknown[0][0]} in segments_info is not a COCO panoptic category",
            where=where,
        )
    return table[where_found].reshape(numbers.shape)


@lru_cache(maxsize=2)
def _entries(file: Path, changed: int) -> dict[str, dict[str, Any]]:
    content = parse_json(file)
    if isinstance(content, dict) and "annotations" in content:
        listed = objects(content, "annotations", str(file))
    elif isinstance(content, dict) and "segments_info" in content:
        listed = [content]
    else:
        return {}
    # A file of one image need not name it.
    alone = len(listed) == 1 and "file_name" not in listed[0]
    return {
        file.with_suffix(".png").name if alone else str(entry.get("file_name")): entry
        for entry in listed
        if "segments_info" in entry
    }
