"""Which files each kind is written to.

The first file of a kind can be given to a query again, as `--depth depth.png`; what is typed
(colours, metadata) lies in a `.txt`, and as JSON as query files have it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.modalities import Decoded
from fourm.modalities.palette import written_colour
from fourm.modalities.sam import SIDE
from fourm.modalities.seg import panoptic_classes
from retrieval.errors import UsageError
from retrieval.generation.drawing import panel_of
from retrieval.generation.names import shown_name
from retrieval.generation.views import depth_colours, depth_levels
from retrieval.queries.class_table import coco_panoptic
from retrieval.report.panels import Panel
from retrieval.report.sheet import draw_panel

Content = Image.Image | str | NDArray[Any]


def file_names(kind: str) -> tuple[str, ...]:
    """Names of the files of a kind; some are not written where nothing was decoded."""
    return tuple(shown_name(kind) + ending for ending in _ENDINGS[kind])


def write_files(decoded: Decoded, folder: Path, ground: Image.Image | None) -> list[str]:
    """Write all files of something decoded; their names.

    Args:
        decoded: of any kind.
        folder: exists.
        ground: the picture that boxes, objects and people are drawn over.

    Raises:
        UsageError: a file cannot be written.
    """
    contents = _contents(decoded, panel_of(decoded, ground))
    written = []
    for name, content in zip(file_names(decoded.modality), contents, strict=True):
        if content is not None:
            write_file(folder / name, content)
            written.append(name)
        else:  # an earlier run's would be taken for this one's
            (folder / name).unlink(missing_ok=True)
    return written


def write_file(path: Path, content: Content) -> None:
    """Write a picture, a text or an array.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        if isinstance(content, Image.Image):
            content.save(path, "PNG")
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="\n")
        else:
            np.save(path, content, allow_pickle=False)
    except OSError as error:
        raise UsageError(f"cannot be written ({error.strerror or error})", where=path) from None


def _contents(decoded: Decoded, panel: Panel) -> tuple[Content | None, ...]:
    """One entry for each of the kind's files."""
    value = decoded.value
    kind = decoded.modality
    if kind == "depth":
        return Image.fromarray(depth_levels(value)), depth_colours(value)
    if kind == "seg":
        colours = Image.fromarray(coco_panoptic().paint(value))
        return Image.fromarray(value), colours, draw_panel(panel)
    if kind in ("image_tokens", "normals", "edges", "sam_edges"):
        return (Image.fromarray(value),)
    if kind == "text":
        return (value + "\n",)
    if kind.endswith("_embedding"):
        return (value,)
    if kind.endswith("_features"):
        return value, panel.picture
    picture = draw_panel(panel) if kind == "metadata" and value else panel.picture
    return _RECORDS[kind](decoded), *_typed(decoded), picture


def _typed(decoded: Decoded) -> tuple[str, ...]:
    """What would be typed for a kind that is typed."""
    if decoded.modality == "palette":
        return (",".join(map(written_colour, decoded.value)) + "\n",)
    if decoded.modality == "metadata":
        return (" ".join(f"{key}={value:g}" for key, value in decoded.value.items()) + "\n",)
    return ()


def _coco_boxes(decoded: Decoded) -> str:
    """COCO's object about one picture, the square that the model sees."""
    things = [row for row in panoptic_classes() if row.is_thing]
    numbers = {row.name: row.id for row in things}
    annotations = []
    for number, box in enumerate(decoded.value, start=1):
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
    return _json(
        {
            "images": [{"id": 1, "width": SIDE, "height": SIDE}],
            "annotations": annotations,
            "categories": [{"id": row.id, "name": row.name} for row in things],
        }
    )


def _palette(decoded: Decoded) -> str:
    return _json([list(colour) for colour in decoded.value])


def _metadata(decoded: Decoded) -> str:
    return _json(decoded.value)


def _sam(decoded: Decoded) -> str:
    """As SAM's automatic generator writes objects, run lengths in COCO's order."""
    entries = []
    for mask in decoded.value:
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
    return _json(entries)


def run_lengths(mask: NDArray[Any]) -> list[int]:
    """COCO's run lengths of a mask (H, W): column by column, what is not the object first."""
    flat = (np.asarray(mask) != 0).T.reshape(-1).astype(np.int8)
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    bounds = [0, *changes, len(flat)]
    return [high - low for low, high in pairwise(bounds)]


def _poses(decoded: Decoded) -> str:
    width, height = decoded.value.size
    assert decoded.rotations is not None
    people = [
        {
            "box": list(person.box),
            "pose": list(person.pose),
            "orientation": list(person.orientation),
            "camera": list(person.camera),
            "shape": list(person.shape),
            "rotations": np.round(matrices, 6).tolist(),
        }
        for person, matrices in zip(decoded.value.people, decoded.rotations, strict=True)
    ]
    return _json({"width": width, "height": height, "people": people})


def _json(content: Any) -> str:
    return json.dumps(content, allow_nan=False) + "\n"


_RECORDS: Mapping[str, Callable[[Decoded], str]] = {
    "boxes": _coco_boxes,
    "palette": _palette,
    "metadata": _metadata,
    "sam": _sam,
    "poses": _poses,
}
_FEATURES = (".npy", "_pca.png")
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "image_tokens": (".png",),
    "depth": (".png", "_colours.png"),
    "normals": (".png",),
    "seg": (".png", "_colours.png", "_legend.png"),
    "edges": (".png",),
    "sam_edges": (".png",),
    "text": (".txt",),
    "boxes": (".json", ".png"),
    "palette": (".json", ".txt", ".png"),
    "metadata": (".json", ".txt", ".png"),
    "sam": (".json", ".png"),
    "poses": (".json", ".png"),
    "clip_features": _FEATURES,
    "dinov2_features": _FEATURES,
    "imagebind_features": _FEATURES,
    "dinov2_embedding": (".npy",),
    "imagebind_embedding": (".npy",),
}
