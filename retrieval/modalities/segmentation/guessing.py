"""Detecting the format of a map, where its ids or colours leave no doubt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import QueryError
from retrieval.modalities.panoptic import NOTHING
from retrieval.modalities.segmentation.formats import (
    COMMON,
    ENOUGH,
    VOID,
    Colour,
    SegFormat,
    formats,
    shares,
)

_NAMED = {"_labelids": "cityscapes", "_labeltrainids": "cityscapes trainIds"}
_MOST = 3
_DARK = 24


def format_of_ids(values: NDArray[np.generic], where: str, stem: str = "") -> SegFormat:
    """The format of a map of ids.

    Args:
        values: integers (H, W).
        where: for messages.
        stem: name of its file without the ending; Cityscapes' names say what they hold.

    Raises:
        QueryError: a binary mask; ids that no format has; ids of another format than COCO's, or of
            several.
    """
    found = {int(value) for value in np.unique(values)}
    if values.dtype.kind == "b" or found in ({0, 255}, {0, 1}):
        raise QueryError(mask_without_name(where), where=where)
    for ending, name in _NAMED.items():
        if stem.lower().endswith(ending) and not formats()[name].unknown(values):
            return formats()[name]
    coco = formats()["coco"]
    fitting = [entry for entry in formats().values() if found <= {*entry.categories, *VOID}]
    # A map of one value is drawn by hand, with the ids that `fourm classes` lists.
    alone = len(found) == 1 and coco in fitting
    if fitting == [coco] or alone or found <= {NOTHING, *VOID}:
        return coco
    if not fitting and is_mask(values):
        raise QueryError(mask_without_name(where), where=where)
    if not fitting:
        raise QueryError(unknown_ids(coco, values), where=where)
    fitting.sort(key=lambda entry: -_plausibility(entry, values))
    likely = [
        f"{entry.name} ({shares(entry.read(values), most=_MOST)})" for entry in fitting[:_MOST]
    ]
    raise QueryError(
        f"its ids look like {' or '.join(likely)}; say which, e.g. "
        f"--seg-format {fitting[0].option}",
        where=where,
    )


def format_of_colours(colours: Iterable[Colour], where: str) -> SegFormat | None:
    """The format whose palette has all of these colours; None: there is none.

    Raises:
        QueryError: several have them, for different classes.
    """
    asked = list(colours)
    fitting = [entry for entry in formats().values() if all(one in entry.colours for one in asked)]
    if not fitting:
        return None
    first = fitting[0]
    for other in fitting[1:]:
        if any(first.colours[one] != other.colours[one] for one in asked):
            names = " and ".join(entry.name for entry in fitting)
            raise QueryError(
                f"its colours are classes of {names}; say which, e.g. "
                f"--seg-format {fitting[0].option}",
                where=where,
            )
    return first


def is_mask(levels: NDArray[Any]) -> bool:
    """Whether levels (...) of 8 bits are those of a binary mask, possibly with soft edges."""
    dark, light = levels <= _DARK, levels >= 255 - _DARK
    return bool(
        levels.dtype == np.uint8 and dark.any() and light.any() and (dark | light).mean() >= ENOUGH
    )


def mask_without_name(where: str) -> str:
    """The message about a binary mask without the name of a class."""
    file = "mask.png" if where == "seg" else where
    return f"is a binary mask; give its class, e.g. --seg dog={file}"


def unknown_ids(entry: SegFormat, values: NDArray[np.generic]) -> str:
    """The message about ids that a format does not have."""
    named = [f"id {number} ({pixels(count)})" for number, count in entry.unknown(values)]
    if entry.name == "coco":
        return f"{some(named)} is not a COCO panoptic category; `fourm classes` lists them"
    return f"{some(named)} is not an id of {entry.name} ({_range(entry)})"


def pixels(count: int) -> str:
    """`1 pixel`, `3 pixels`."""
    return f"{count} pixel" if count == 1 else f"{count} pixels"


def some(named: list[str], most: int = 3) -> str:
    """The first few of a list, and how many more there are."""
    rest = len(named) - most
    return ", ".join(named[:most]) + (f" and {rest} more" if rest > 0 else "")


def _range(entry: SegFormat) -> str:
    return f"{min(entry.categories)} to {max(entry.categories)}"


def _plausibility(entry: SegFormat, values: NDArray[np.generic]) -> float:
    """Share of the pixels in classes that cover most of a typical photo."""
    ids = entry.read(values)
    return float(np.isin(ids, list(COMMON)).sum()) / max(int((ids != NOTHING).sum()), 1)
