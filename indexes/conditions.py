"""Conditions on items, as a tree of small values.

    AllOf((Compare("width", ">=", 1024), Like("path", "trips/%")))

A comparison with a field that an item does not have is false, so that `Not` of it is true. Text is
compared without regard to case and to how accents are encoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Literal, get_args

from indexes.errors import BadSearch

Kind = Literal["text", "number", "time"]
Operator = Literal["=", "<", "<=", ">", ">="]
Value = str | int | float | datetime

FIELDS: dict[str, Kind] = {
    "path": "text",
    "folder": "text",
    "name": "text",
    "suffix": "text",
    "modality": "text",
    "orientation": "text",
    "camera": "text",
    "lens": "text",
    "tag": "text",
    "width": "number",
    "height": "number",
    "size": "number",
    "frames": "number",
    "latitude": "number",
    "longitude": "number",
    "rating": "number",
    "taken": "time",
    "modified": "time",
}
"""Field -> what it is compared with: str, int or float, or datetime.

`folder` is "" for items in the root, `suffix` is without its dot. `orientation` is "landscape",
"portrait" or "square". An item has any number of values of `tag`. `taken` is by the clock of the
camera and compared with a naive datetime, `modified` with one that has a time zone.
"""

MOST_CONDITIONS = 200
MOST_VALUES = 500
DEEPEST = 50
LONGEST_TEXT = 1000

_TYPES: dict[Kind, type | tuple[type, ...]] = {
    "text": str,
    "number": (int, float),
    "time": datetime,
}
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against a value; of texts, "=" only compares equal ones."""

    field: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field is equal to one of some values."""

    field: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Like:
    r"""A text matches a pattern: `%` is any text, `_` one character, `\` escapes these."""

    field: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Known:
    """The item has a value of the field."""

    field: str


@dataclass(frozen=True, slots=True)
class Near:
    """The item was made at most `metres` from a place given in degrees."""

    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of the conditions hold."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the conditions holds."""

    conditions: tuple[Condition, ...]


Condition = Compare | OneOf | Like | Known | Near | Not | AllOf | AnyOf


def check_condition(condition: Condition) -> None:
    """Check a condition against the fields and the limits.

    Raises:
        BadSearch: an unknown field, a value of another kind, a number out of range; more than 200
            comparisons, 500 values, 50 levels, or 1000 characters in a text.
    """
    leaves = values = 0
    for leaf in _leaves(condition):
        leaves += 1
        for field, value in _values(leaf):
            values += 1
            _check_value(field, value)
    if leaves > MOST_CONDITIONS:
        raise BadSearch(f"a condition may have {MOST_CONDITIONS} comparisons, got {leaves}")
    if values > MOST_VALUES:
        raise BadSearch(f"a condition may have {MOST_VALUES} values, got {values}")


def _leaves(condition: Condition) -> Iterator[Condition]:
    """The comparisons of a tree, without recursion."""
    open_nodes = [(condition, 1)]
    while open_nodes:
        node, depth = open_nodes.pop()
        if depth > DEEPEST:
            raise BadSearch(f"a condition may have {DEEPEST} levels")
        if isinstance(node, Not):
            open_nodes.append((node.condition, depth + 1))
        elif isinstance(node, (AllOf, AnyOf)):
            if not node.conditions:
                raise BadSearch("expected at least one condition")
            open_nodes.extend((part, depth + 1) for part in node.conditions)
        else:
            yield node


def _values(leaf: Condition) -> Iterator[tuple[str, Value]]:
    """The field and the value of every comparison in a leaf."""
    if isinstance(leaf, Compare):
        if leaf.operator not in get_args(Operator):
            raise BadSearch(f"unknown operator {leaf.operator!r}")
        if FIELDS.get(leaf.field) == "text" and leaf.operator != "=":
            raise BadSearch(f"{leaf.field} is text, which has no order")
        yield leaf.field, leaf.value
    elif isinstance(leaf, OneOf):
        yield from ((leaf.field, value) for value in leaf.values)
    elif isinstance(leaf, Like):
        if FIELDS.get(leaf.field) != "text":
            raise BadSearch(f"{leaf.field} is not text")
        yield leaf.field, leaf.pattern
    elif isinstance(leaf, Near):
        yield "latitude", leaf.latitude
        yield "longitude", leaf.longitude
        _check_value("size", leaf.metres)
        if not (abs(leaf.latitude) <= 90 and abs(leaf.longitude) <= 180 and leaf.metres >= 0):
            raise BadSearch("near: expected degrees within 90 and 180, and a distance >= 0")
    elif isinstance(leaf, Known):
        if leaf.field not in FIELDS:
            raise BadSearch(f"no field {leaf.field!r}")
    else:
        raise BadSearch(f"not a condition: {leaf!r}")


def _check_value(field: str, value: Value) -> None:
    kind = FIELDS.get(field)
    if kind is None:
        raise BadSearch(f"no field {field!r}")
    if isinstance(value, bool) or not isinstance(value, _TYPES[kind]):
        raise BadSearch(f"{field} is compared with a {kind}, got {value!r}")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise BadSearch(f"a text may have {LONGEST_TEXT} characters, got {len(value)}")
    if isinstance(value, (int, float)) and not (isfinite(value) and abs(value) <= _LARGEST):
        raise BadSearch(f"{field}: {value} is out of range")
    if isinstance(value, datetime) and (value.tzinfo is None) != (field == "taken"):
        raise BadSearch("taken is compared with a naive datetime, modified with an aware one")
