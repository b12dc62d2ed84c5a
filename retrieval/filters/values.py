"""The values of a filter: texts, numbers with units, and dates as the periods that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

_BYTES = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_METRES = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?)?)?", re.ASCII
)


@dataclass(frozen=True)
class Text:
    """A text without its quotes, and the position where it begins."""

    value: str
    position: int


@dataclass(frozen=True)
class Number:
    """A number with its unit as it was typed; "" if it has none."""

    value: int | float
    unit: str
    position: int


@dataclass(frozen=True)
class Date:
    """A date as it was typed."""

    value: str
    position: int


Value = Text | Number | Date


@dataclass(frozen=True)
class Period:
    """From `start` up to but not including `end`: the year, day or minute that a date names."""

    start: datetime
    end: datetime


def unquoted(token: str) -> str:
    """The text of a quoted one, in which its own quotes are doubled."""
    quote = token[0]
    return token[1:-1].replace(quote * 2, quote)


def byte_count(number: Number) -> int | float | None:
    """Bytes; None: not a unit of them. 1 kB is 1000 bytes, 1 KiB is 1024."""
    unit = number.unit.lower()
    if not unit:
        return number.value
    if unit[-1] != "b":
        return None
    base = 1024 if "i" in unit else 1000
    exact = number.value * base ** _BYTES[unit[0]]
    return int(exact) if float(exact).is_integer() else exact


def metres(number: Number) -> float | None:
    """Metres; None: not a unit of length."""
    factor = _METRES.get(number.unit.lower())
    return None if factor is None else number.value * factor


def period(value: Value) -> Period | None:
    """The period that a date names; None if it is none."""
    if isinstance(value, Number):
        typed = "" if value.unit else str(value.value)
    else:
        typed = value.value.strip()
    match = _DATE.fullmatch(typed)
    if match is None:
        return None
    year, month, day, hour, minute, second = (None if x is None else int(x) for x in match.groups())
    try:
        start = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, second or 0)
    except ValueError:
        return None
    return Period(start, _end(start, (month, day, hour, second)))


def _end(start: datetime, given: tuple[int | None, ...]) -> datetime:
    month, day, hour, second = given
    try:
        if month is None:
            return start.replace(year=start.year + 1)
        if day is None:
            return (start + timedelta(days=31)).replace(day=1)
        if hour is None:
            return start + timedelta(days=1)
        return start + (timedelta(minutes=1) if second is None else timedelta(seconds=1))
    except (ValueError, OverflowError):  # after the year 9999
        return datetime.max


def local(moment: datetime) -> datetime:
    """A naive time as one in the time zone of this machine."""
    try:
        return moment.astimezone()
    except (OverflowError, OSError, ValueError):  # near the years 1 and 9999
        return moment.replace(tzinfo=timezone.utc)
