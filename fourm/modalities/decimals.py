"""Numbers as users type them."""

from __future__ import annotations

import re

_DECIMAL = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE
)


def decimal(text: str) -> float:
    """A number, written in ASCII: Python's own parser takes `1_000` and digits of every script.

    `nan` and `inf` are numbers here, so that what checks the range can name them.

    Raises:
        ValueError: anything else.
    """
    stripped = text.strip(" \t")
    if not _DECIMAL.fullmatch(stripped):
        raise ValueError("not a number")
    return float(stripped)
