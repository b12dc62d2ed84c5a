"""How the inputs of a query are combined, and their weights.

together  one forward pass over all inputs
guided    one pass an input; each moves the prediction away from the one without any input, by its
          weight (4M-21 reference, sec. 4.4)
late      one pass an input; the weighted mean of their vectors
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from fourm.messages import shown
from retrieval.assignments import read_numbers
from retrieval.errors import QueryError, UsageError
from retrieval.inputs import Input
from retrieval.modalities import find
from retrieval.modalities.text import read_text

Combination = Literal["together", "guided", "late"]
COMBINATIONS: tuple[Combination, ...] = ("together", "guided", "late")

NOT = "not"
"""Name of negative prompts among the weights."""

MAX_INPUT_WEIGHT = 100.0

NEGATIVE_WEIGHT = 0.5
"""Weight of a negative prompt by default: with more, what is searched for goes as well (docs)."""


def read_negative_text(source: object) -> list[Input]:
    """Negative prompts: a string, or a list of them. Their weight is -`NEGATIVE_WEIGHT`.

    Raises:
        QueryError: another form, none, or an empty text.
    """
    texts = [source] if isinstance(source, str) else source
    if not isinstance(texts, (list, tuple)) or not texts:
        raise QueryError(f"expected text or a list of texts, got {shown(source)}", where=NOT)
    return [replace(read_text(text, NOT), weight=-NEGATIVE_WEIGHT) for text in texts]


def read_weights(source: object) -> dict[str, float]:
    """Weights: `text=2`, a list of such, or a mapping of names to numbers.

    Returns:
        Name of a modality, or `not`, -> weight.

    Raises:
        QueryError: another form, not a number, one beyond -100 to 100, one name twice.
    """
    pairs: Mapping[Any, object]
    if isinstance(source, Mapping):
        pairs = source
    else:
        entries = [source] if isinstance(source, str) else source
        if not isinstance(entries, (list, tuple)) or not all(isinstance(e, str) for e in entries):
            raise QueryError(f"expected text=2 or a mapping, got {shown(source)}", where="weight")
        try:
            pairs = dict(read_numbers(entries, "weight", "text=2"))
        except UsageError as error:
            raise QueryError(error.reason, where=error.where) from None
    weights: dict[str, float] = {}
    for name, value in pairs.items():
        if not isinstance(name, str):
            raise QueryError(f"expected the name of an input, got {shown(name)}", where="weight")
        modality = None if name.strip() == NOT else find(name)
        key = name.strip() if modality is None else modality.name
        if key in weights:
            raise QueryError(f"{key} is given twice", where="weight")
        weights[key] = _weight(key, value)
    if not weights:
        raise QueryError("expected at least one weight, for example text=2", where="weight")
    return weights


def combined(
    inputs: Sequence[Input], weights: Mapping[str, float] | None, combine: object = None
) -> tuple[tuple[Input, ...], Combination]:
    """The inputs with their weights, and how they are combined.

    Args:
        inputs: negative prompts have a negative weight already.
        weights: of `read_weights`; inputs that it does not name keep theirs.
        combine: one of `COMBINATIONS`; None: guided if anything is weighted, else together.

    Raises:
        UsageError: weights or negative prompts in one pass over all inputs.
        QueryError: another word, a weight of an input that was not given, or all of them 0.
    """
    if combine is not None and combine not in COMBINATIONS:
        raise QueryError(
            f"expected {', '.join(COMBINATIONS)}, got {shown(combine)}", where="combine"
        )
    negative = any(entry.weight < 0 for entry in inputs)
    if combine == "together" and (weights is not None or negative):
        what = "weights" if weights is not None else "negative prompts"
        raise UsageError(
            f"{what} need guided or late; together is one pass over all inputs", where="combine"
        )
    given = dict.fromkeys(NOT if entry.weight < 0 else entry.modality for entry in inputs)
    for name in weights or ():
        if name not in given:
            raise QueryError(
                f"{shown(name)} is not among the inputs of this query: {', '.join(given)}",
                where="weight",
            )
    if weights is not None:
        inputs = [_weighted(entry, weights) for entry in inputs]
    if not any(entry.weight for entry in inputs):
        raise QueryError("the weights must not be all 0", where="weight")
    chosen: Combination = "guided" if weights is not None or negative else "together"
    return tuple(inputs), chosen if combine is None else combine


def _weighted(entry: Input, weights: Mapping[str, float]) -> Input:
    if entry.weight < 0:
        return replace(entry, weight=-weights.get(NOT, NEGATIVE_WEIGHT))
    return replace(entry, weight=weights.get(entry.modality, 1.0))


def _weight(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise QueryError(f"{name} must be a number, got {shown(value)}", where="weight")
    if not (abs(value) <= MAX_INPUT_WEIGHT and math.isfinite(value)):
        raise QueryError(
            f"{name} must be between -{MAX_INPUT_WEIGHT:g} and {MAX_INPUT_WEIGHT:g}, "
            f"got {shown(value)}",
            where="weight",
        )
    if name == NOT and value < 0:
        raise QueryError(
            f"not must be >= 0, got {value:g}; a negative prompt has a negative weight already",
            where="weight",
        )
    return float(value)
