"""Conditions made of the parts of a filter, while it is parsed."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from lark import Token, Transformer, v_args

from indexes.conditions import (
    FIELDS,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Known,
    Like,
    Near,
    Not,
    OneOf,
    Operator,
)
from retrieval.filters.values import (
    Date,
    Number,
    Period,
    Text,
    Value,
    byte_count,
    local,
    metres,
    period,
    unquoted,
)

ALIASES = {"pages": "frames", "tags": "tag"}
ORIENTATIONS = ("landscape", "portrait", "square")


class Wrong(Exception):
    """What is wrong, and the position of the first character of it."""

    def __init__(self, reason: str, position: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position or 0


@v_args(inline=True)
class Lowering(Transformer[Token, Any]):
    """A method for each alternative of the grammar."""

    def TEXT(self, token: Token) -> Text:
        return Text(unquoted(token), token.start_pos or 0)

    def DATE(self, token: Token) -> Date:
        return Date(str(token), token.start_pos or 0)

    def number(self, number: Token, unit: Token | str = "") -> Number:
        value = float(number) if "." in number or len(number) > 18 else int(number)
        return Number(value, str(unit), number.start_pos or 0)

    def negated(self, *words: Token) -> bool:
        return bool(words)

    @v_args(inline=False)
    def values(self, values: list[Value]) -> list[Value]:
        return values

    def any_of(self, *conditions: Condition) -> Condition:
        return conditions[0] if len(conditions) == 1 else AnyOf(conditions)

    def all_of(self, *conditions: Condition) -> Condition:
        return conditions[0] if len(conditions) == 1 else AllOf(conditions)

    def negation(self, condition: Condition) -> Condition:
        return Not(condition)

    def compare(self, name: Token, operator: Token, value: Value) -> Condition:
        negated = operator in ("!=", "<>")
        wanted: Any = "=" if negated or operator == "==" else str(operator)
        return _unless(_compared(name, wanted, value, operator), negated)

    def one_of(self, name: Token, negated: bool, values: list[Value]) -> Condition:
        field = _field(name)
        if FIELDS[field] == "time":
            found: Condition = AnyOf(tuple(_compared(name, "=", value) for value in values))
        else:
            found = OneOf(field, tuple(_plain(field, value) for value in values))
        return _unless(found, negated)

    def like(self, name: Token, negated: bool, pattern: Text) -> Condition:
        field = _field(name)
        if FIELDS[field] != "text":
            raise Wrong(f"{name} is a {FIELDS[field]}; like is for texts", name.start_pos)
        return _unless(Like(field, pattern.value), negated)

    def between(self, name: Token, negated: bool, low: Value, high: Value) -> Condition:
        both = AllOf((_compared(name, ">=", low), _compared(name, "<=", high)))
        return _unless(both, negated)

    def unknown(self, name: Token, negated: bool) -> Condition:
        return _unless(Known(_field(name)), not negated)

    def near(self, near: Token, latitude: Number, longitude: Number, within: Number) -> Condition:
        for number, most in ((latitude, 90), (longitude, 180)):
            if number.unit or abs(number.value) > most:
                raise Wrong(f"expected degrees in [-{most}, {most}]", number.position)
        distance = metres(within)
        if distance is None or distance < 0:
            raise Wrong("expected a distance such as 5 km or 300 m", within.position)
        return Near(float(latitude.value), float(longitude.value), distance)


def _unless(condition: Condition, negated: bool) -> Condition:
    return Not(condition) if negated else condition


def _field(name: Token) -> str:
    known = name.lower()
    field = ALIASES.get(known, known)
    if field not in FIELDS:
        every = [*FIELDS, *ALIASES]
        near = get_close_matches(known, every, 1)
        hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(every)}"
        raise Wrong(f"no field {str(name)!r}; {hint}", name.start_pos)
    return field


def _compared(name: Token, operator: Operator, value: Value, at: Token | None = None) -> Condition:
    field = _field(name)
    if FIELDS[field] == "time":
        return _in_time(field, operator, value)
    if FIELDS[field] == "text" and operator != "=":
        position = value.position if at is None else at.start_pos
        raise Wrong(f"{name} is a text; use =, !=, in or like", position)
    return Compare(field, operator, _plain(field, value))


def _plain(field: str, value: Value) -> str | int | float:
    """The value of a text or a number."""
    if FIELDS[field] == "text":
        if not isinstance(value, Text):
            raise Wrong(f"{field} is a text; put it in quotes", value.position)
        return _named(field, value)
    if not isinstance(value, Number):
        raise Wrong(f"{field} is a number, got {value.value!r}", value.position)
    if field == "size":
        count = byte_count(value)
        if count is None:
            raise Wrong("expected a size such as 200 kB or 10 MB", value.position)
        return count
    if value.unit:
        raise Wrong(f"{field} has no unit, got {value.unit}", value.position)
    return value.value


def _named(field: str, text: Text) -> str:
    """A text in the only form that its field has."""
    if field == "suffix":
        return text.value.removeprefix(".")
    if field == "folder":
        return text.value.strip("/")
    if field == "modality":
        return text.value.replace("-", "_")
    if field == "orientation" and text.value.lower() not in ORIENTATIONS:
        raise Wrong(
            f"orientation is one of {', '.join(ORIENTATIONS)}, got {text.value!r}", text.position
        )
    return text.value


def _in_time(field: str, operator: Operator, value: Value) -> Condition:
    """A date is the period that it names: `taken <= 2024` is before the end of the year."""
    found = period(value)
    if found is None:
        raise Wrong(
            f"{field} is a time; expected a date such as 2024, 2024-01, 2024-01-31 or "
            "2024-01-31 18:30",
            value.position,
        )
    if field == "modified":
        found = Period(local(found.start), local(found.end))
    from_start, before_end = Compare(field, ">=", found.start), Compare(field, "<", found.end)
    conditions: dict[str, Condition] = {
        "=": AllOf((from_start, before_end)),
        "<": Compare(field, "<", found.start),
        "<=": before_end,
        ">": Compare(field, ">=", found.end),
        ">=": from_start,
    }
    return conditions[operator]
