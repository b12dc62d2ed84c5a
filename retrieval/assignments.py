"""NAME=VALUE, as it is typed."""

from __future__ import annotations

import math
from collections.abc import Iterable

from retrieval.errors import UsageError


def read_assignments(
    entries: Iterable[str], where: str, example: str, default: str = ""
) -> dict[str, str]:
    """Name -> value of entries such as `clip=weights/clip`.

    Args:
        entries: as they were typed.
        where: the option, for messages.
        example: a valid entry, for messages.
        default: value of an entry that is a name alone.

    Raises:
        UsageError: an entry without a name or a value, or a name twice.
    """
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = (part.strip() for part in entry.partition("="))
        value = value if equals else default
        if not name or not value:
            raise UsageError(f"expected for example {example}, got {entry!r}", where=where)
        if name in found:
            raise UsageError(f"{name} is given twice", where=where)
        found[name] = value
    return found


def read_numbers(
    entries: Iterable[str], where: str, example: str, default: str = ""
) -> dict[str, float]:
    """Name -> number of entries such as `text=2`.

    Raises:
        UsageError: as `read_assignments`, or a value that is not a finite number.
    """
    from fourm.modalities.decimals import decimal

    numbers = {}
    for name, value in read_assignments(entries, where, example, default).items():
        try:
            numbers[name] = decimal(value)
            if not math.isfinite(numbers[name]):
                raise ValueError
        except ValueError:
            raise UsageError(
                f"expected for example {example}, got '{name}={value}'", where=where
            ) from None
    return numbers
