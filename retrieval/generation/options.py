"""Regions to inpaint and guidance weights, typed or as numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from retrieval.errors import UsageError
from retrieval.generation.names import kind_named
from retrieval.modalities import sources as known_sources

Box = tuple[float, float, float, float]


def given_kinds(sources: Mapping[str, object]) -> frozenset[str]:
    """The kinds of input that sources give."""
    given = {name for name, value in sources.items() if value is not None}
    known = known_sources()
    return frozenset(known[name].modality if name in known else name for name in given)


def read_boxes(given: Sequence[Box | str]) -> list[Box]:
    """Boxes (xmin, ymin, xmax, ymax), or written as `xmin,ymin,xmax,ymax`.

    Raises:
        UsageError: anything else.
    """
    boxes = []
    for entry in given:
        numbers = entry.split(",") if isinstance(entry, str) else entry
        try:
            xmin, ymin, xmax, ymax = map(float, numbers)
        except (TypeError, ValueError):
            raise UsageError(
                f"{entry!r} is not a valid box; expected xmin,ymin,xmax,ymax as fractions, "
                "for example 0.25,0.25,0.75,0.75",
                where="inpaint",
            ) from None
        boxes.append((xmin, ymin, xmax, ymax))
    return boxes


def read_weights(
    given: Mapping[str, float] | Sequence[str], inputs: Collection[str]
) -> dict[str, float]:
    """Guidance weights by modality.

    Args:
        given: modality -> weight, or strings such as `text=2`.
        inputs: modalities of the inputs: `image` is the photo if there is one, else the image
            that is generated.

    Raises:
        UsageError: any other form, an unknown modality, or one that is given twice.
    """
    pairs = given.items() if isinstance(given, Mapping) else map(_typed, given)
    weights: dict[str, float] = {}
    for name, weight in pairs:
        modality = name.strip() if name.strip() in inputs else kind_named(name)
        if modality in weights:
            raise UsageError(f"{modality} is given twice", where="weight")
        weights[modality] = weight
    return weights


def _typed(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise UsageError(f"expected for example text=2, got {text!r}", where="weight")
    return name, weight
