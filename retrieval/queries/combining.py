"""How the inputs of a query are combined, and how much each of them counts.

together  one forward pass over all inputs
guided    one pass an input; each moves the prediction away from the one without any input, by its
          weight (4M-21 reference, sec. 4.4)
late      one pass an input; the weighted mean of their vectors
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from fourm.messages import shown
from fourm.modalities.decimals import decimal
from retrieval.errors import QueryError, UsageError
from retrieval.modalities import sources
from retrieval.queries.inputs import Input
from retrieval.queries.words import read_words

How = Literal["together", "guided", "late"]
WAYS: tuple[How, ...] = ("together", "guided", "late")

NOT = "not"
"""The name under which words to push away from are weighed."""

LARGEST_WEIGHT = 100.0

PUSH = 0.5
"""How hard words push away where nobody says: harder, and what is wanted goes, too (docs)."""


def read_pushed(source: object) -> list[Input]:
    """Words to push away from: a string, or a list of them. Their weight is -`PUSH`.

    Raises:
        QueryError: another form, none, or words that are empty.
    """
    texts = [source] if isinstance(source, str) else source
    if not isinstance(texts, (list, tuple)) or not texts:
        raise QueryError(f"expected words or a list of them, got {shown(source)}", where="not")
    return [replace(read_words(text, "not"), weight=-PUSH) for text in texts]


def read_weights(source: object) -> dict[str, float]:
    """Weights: `text=2`, a list of such, or a mapping of names to numbers.

    Returns:
        Kind of input, or `not`, -> weight.

    Raises:
        QueryError: another form, no number, one that is not within -100 and 100, one name twice.
    """
    pairs: list[tuple[object, object]]
    if isinstance(source, Mapping):
        pairs = list(source.items())
    else:
        entries = [source] if isinstance(source, str) else source
        if not isinstance(entries, (list, tuple)) or not all(isinstance(e, str) for e in entries):
            raise QueryError(f"expected text=2 or a mapping, got {shown(source)}", where="weight")
        pairs = [_typed(entry) for entry in entries]
    known = sources()
    weights: dict[str, float] = {}
    for name, value in pairs:
        if not isinstance(name, str):
            raise QueryError(f"expected the name of an input, got {shown(name)}", where="weight")
        kind = name.strip().replace("-", "_")
        kind = known[kind].modality if kind in known else kind
        if kind in weights:
            raise QueryError(f"{kind} is given twice", where="weight")
        weights[kind] = _weight(kind, value)
    if not weights:
        raise QueryError("there are none; give for example text=2", where="weight")
    return weights


def combined(
    inputs: Sequence[Input], weights: Mapping[str, float] | None, how: object = None
) -> tuple[tuple[Input, ...], How]:
    """The inputs with their weights, and how they are combined.

    Args:
        inputs: those to push away from have a negative weight already.
        weights: of `read_weights`; inputs that it does not name keep theirs.
        how: one of `WAYS`; None: guided if anything is weighed, else together.

    Raises:
        UsageError: weights or words to push away from, which one pass over all inputs cannot have.
        QueryError: another word, a weight of an input that was not given, or all of them 0.
    """
    if how is not None and how not in WAYS:
        raise QueryError(f"expected {', '.join(WAYS)}, got {shown(how)}", where="combine")
    pushed = any(entry.weight < 0 for entry in inputs)
    if how == "together" and (weights is not None or pushed):
        what = "weights" if weights is not None else "words to push away from"
        raise UsageError(
            f"{what} need guided or late; together is one pass over all", where="combine"
        )
    given = dict.fromkeys(NOT if entry.weight < 0 else entry.kind for entry in inputs)
    for name in weights or ():
        if name not in given:
            raise QueryError(
                f"{shown(name)} is not among the inputs of this query: {', '.join(given)}",
                where="weight",
            )
    if weights is not None:
        inputs = [_weighed(entry, weights) for entry in inputs]
    if not any(entry.weight for entry in inputs):
        raise QueryError("all are 0, so that nothing is left to search for", where="weight")
    way: How = "guided" if weights is not None or pushed else "together"
    return tuple(inputs), way if how is None else how


def _weighed(entry: Input, weights: Mapping[str, float]) -> Input:
    if entry.weight < 0:
        return replace(entry, weight=-weights.get(NOT, PUSH))
    return replace(entry, weight=weights.get(entry.kind, 1.0))


def _typed(entry: str) -> tuple[object, object]:
    name, equals, number = entry.partition("=")
    try:
        return name, decimal(number)
    except ValueError:
        got = shown(entry) if equals else f"{shown(entry)} without a number"
        raise QueryError(f"expected for example text=2, got {got}", where="weight") from None


def _weight(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise QueryError(f"that of {name} should be a number, got {shown(value)}", where="weight")
    if not (abs(value) <= LARGEST_WEIGHT and math.isfinite(value)):
        raise QueryError(
            f"that of {name} should be within -{LARGEST_WEIGHT:g} and {LARGEST_WEIGHT:g}, "
            f"got {shown(value)}",
            where="weight",
        )
    if name == NOT and value < 0:
        raise QueryError(
            "that of not says how hard its words push away; give it above 0", where="weight"
        )
    return float(value)
