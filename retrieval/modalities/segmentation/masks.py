"""Binary masks with the name of their class: `dog=mask.png`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retrieval.errors import QueryError
from retrieval.modalities.panoptic import NOTHING, Ids
from retrieval.modalities.segmentation.files import array_of, open_map
from retrieval.modalities.segmentation.names import class_named


def named_mask(source: object) -> tuple[str, Path] | None:
    """Name and file of `dog=mask.png`; None: a path of another form, or a file of that name."""
    if not isinstance(source, (str, os.PathLike)) or "=" not in str(source):
        return None
    name, _, file = str(source).partition("=")
    exists = os.path.lexists(str(source))
    return None if exists or "/" in name or not file else (name, Path(file))


def read_named_masks(masks: Iterable[tuple[str, Any]]) -> Ids:
    """One map of masks of the same size; where they overlap, the later one counts.

    Args:
        masks: name of a class, and a file, a Pillow image or an array (H, W); it is yes above half
            of its largest value.

    Raises:
        QueryError: an unknown name, a mask that cannot be read, is empty, or has another size.
    """
    ids: Ids | None = None
    for name, source in masks:
        where = str(source) if isinstance(source, (str, os.PathLike)) else "seg"
        category = class_named(name, "seg")
        mask = _mask(source, where)
        if not mask.any():
            raise QueryError(f"the mask of {category.name} is empty", where=where)
        if ids is None:
            ids = np.full(mask.shape, NOTHING, np.int32)
        if mask.shape != ids.shape:
            raise QueryError(
                f"a mask of {mask.shape[1]} x {mask.shape[0]} pixels, the first one has "
                f"{ids.shape[1]} x {ids.shape[0]}: give masks of one image",
                where=where,
            )
        ids[mask] = category.id
    if ids is None:
        raise QueryError("expected at least one mask, got none", where="seg")
    return ids


def masks_in(source: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    """The masks of a mapping: name -> mask, or a list of them.

    Raises:
        QueryError: a name that is not a string.
    """
    found = []
    for name, value in source.items():
        if not isinstance(name, str):
            raise QueryError(f"expected names of classes as keys, got {name!r:.60}", where="seg")
        values = value if isinstance(value, list) else [value]
        found += [(name, one) for one in values]
    return found


def _mask(source: object, where: str) -> NDArray[np.bool_]:
    if isinstance(source, (str, os.PathLike)):
        with open_map(source) as opened:
            values = opened if isinstance(opened, np.ndarray) else _levels(opened)
    else:
        values = _levels(source) if isinstance(source, Image.Image) else array_of(source)
    if values.ndim != 2 or values.dtype.kind not in "biuf" or not values.size:
        raise QueryError(f"expected a mask (H, W), got {values.dtype} {values.shape}", where=where)
    mask: NDArray[np.bool_] = values > values.max() / 2
    return mask


def _levels(image: Image.Image) -> NDArray[Any]:
    """The levels of a mask; of one with a transparent ground, what is opaque."""
    if "A" in image.getbands() or "transparency" in image.info:
        alpha = np.asarray(image.convert("RGBA"))[..., 3]
        if alpha.max() > 0 and alpha.min() < alpha.max():
            return alpha
    if image.mode in ("1", "L") or image.mode.startswith(("I", "F")):
        return np.asarray(image)
    return np.asarray(image.convert("RGB").convert("L"))
