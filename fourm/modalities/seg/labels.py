"""COCO panoptic category ids, and the labels that the segmentation tokenizer encodes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.checks import as_array
from fourm.errors import BadInput
from fourm.modalities.pixels import square_box
from fourm.modalities.seg.classes import panoptic_classes

NOTHING = 0
"""Label of a pixel that belongs to no class."""


def square_labels(ids: Any, size: int = 224) -> NDArray[np.uint8]:
    """COCO panoptic category ids -> what the segmentation tokenizer reads.

    The map is treated as the photo it belongs to would be: its central square is taken, then
    resized to the model's size by nearest neighbour.

    Args:
        ids: (H, W) integers; COCO category ids, 0 where there is nothing.
        size: side of the result, in pixels.

    Returns:
        (size, size) uint8: contiguous class index + 1, that is 1 .. 133; 0 = nothing.

    Raises:
        BadInput: not a two-dimensional integer array, no pixels, or an id that is no class.
    """
    array = as_array(ids, "a segmentation map")
    if array.ndim != 2 or array.dtype.kind not in "iu":
        raise BadInput(
            "a segmentation map must be an integer array (H, W) of COCO panoptic ids, "
            f"got {array.dtype} {array.shape}"
        )
    if array.size == 0:
        raise BadInput("the segmentation map has no pixels")
    left, top, right, bottom = square_box(array.shape[1], array.shape[0])
    _check_ids(array)
    labels: NDArray[np.uint8] = _label_of_id()[array[top:bottom, left:right]]
    if labels.shape == (size, size):
        return labels
    resized = Image.fromarray(labels).resize((size, size), Image.Resampling.NEAREST)
    return np.array(resized)


def labels_of_indices(indices: Any) -> NDArray[np.uint8]:
    """Contiguous class indices 0 .. 132, with 255 for nothing, as stored in the data sets of the
    reference -> labels 1 .. 133, 0 = nothing; same shape, uint8.

    Raises:
        BadInput: not integers, or another value.
    """
    array = np.asarray(indices)
    if array.dtype.kind not in "iu":
        raise BadInput(f"class indices must be integers, got {array.dtype}")
    count = len(panoptic_classes())
    wrong = array[((array < 0) | (array >= count)) & (array != 255)]
    if wrong.size:
        raise BadInput(f"class indices must be 0 to {count - 1}, or 255, got {int(wrong.flat[0])}")
    return np.where(array == 255, NOTHING, array + 1).astype(np.uint8)


def ids_of_labels(labels: Any) -> NDArray[np.uint8]:
    """Labels 0 .. 133, e.g. the best class of a decoded map -> COCO category ids; same shape.

    Raises:
        BadInput: not integers, or another value.
    """
    array = np.asarray(labels)
    table = np.array([NOTHING, *(row.id for row in panoptic_classes())], np.uint8)
    if array.dtype.kind not in "iu" or (
        array.size and not 0 <= int(array.min()) <= int(array.max()) < len(table)
    ):
        raise BadInput(f"labels must be integers from 0 to {len(table) - 1}")
    ids: NDArray[np.uint8] = table[array]
    return ids


@cache
def _label_of_id() -> NDArray[np.uint8]:
    table = np.zeros(panoptic_classes()[-1].id + 1, np.uint8)
    for label, row in enumerate(panoptic_classes(), start=1):
        table[row.id] = label
    return table


def _check_ids(array: NDArray[Any]) -> None:
    known = _label_of_id()
    outside = (array < 0) | (array >= len(known))
    unknown = set(array[outside].flat[:8].tolist())
    if not unknown:
        counts = np.bincount(array.reshape(-1).astype(np.int64), minlength=len(known))
        unknown = {int(i) for i in np.flatnonzero(counts) if i != NOTHING and known[i] == 0}
    if unknown:
        listed = ", ".join(str(value) for value in sorted(unknown)[:8])
        raise BadInput(
            f"no COCO panoptic class has the id {listed}: ids are those that "
            "`fourm classes` lists, and 0 for nothing"
        )
