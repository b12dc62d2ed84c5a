"""Typed boxes, weights and numbers of tokens."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from retrieval.errors import UsageError
from retrieval.generation.names import kind_named
from retrieval.modalities import sources as known_sources

HideBox = tuple[float, float, float, float]


def given_kinds(sources: Mapping[str, object]) -> frozenset[str]:
    """The kinds of input that sources give."""
    given = {name for name, value in sources.items() if value is not None}
    known = known_sources()
    return frozenset(known[name].modality if name in known else name for name in given)


def read_hidden(written: Sequence[str]) -> list[HideBox]:
    """Boxes `xmin,ymin,xmax,ymax` within 0 and 1.

    Raises:
        UsageError: something else.
    """
    boxes = []
    for text in written:
        try:
            xmin, ymin, xmax, ymax = (float(number) for number in text.split(","))
        except ValueError:
            raise UsageError(
                f"{text!r} is no box: write xmin,ymin,xmax,ymax as fractions, "
                "for example 0.25,0.25,0.75,0.75",
                where="hide",
            ) from None
        boxes.append((xmin, ymin, xmax, ymax))
    return boxes


def read_weights(written: Sequence[str], given: Collection[str]) -> dict[str, float]:
    """Weights `kind=number` of kinds.

    Args:
        written: as typed.
        given: kinds of the inputs: `image` is the photo where there is one, a picture that is
            generated elsewhere.

    Raises:
        UsageError: another form, an unknown kind, or one twice.
    """
    weights: dict[str, float] = {}
    for text in written:
        name, _, number = text.partition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not math.isfinite(weight):
            raise UsageError(f"{text!r} should be kind=number, for example text=2", where="weight")
        kind = name.strip() if name.strip() in given else kind_named(name)
        if kind in weights:
            raise UsageError(f"{kind} is given twice", where="weight")
        weights[kind] = weight
    return weights


def read_top_k(value: float) -> int | float:
    """A share of the vocabulary below 1, a number of tokens from 1 on.

    Raises:
        UsageError: it is neither.
    """
    if not 0 <= value < 1 << 31 or (value > 1 and value != int(value)):
        raise UsageError(f"a whole number, or a share below 1, not {value}", where="top k")
    return int(value) if value >= 1 or value == 0 else value
