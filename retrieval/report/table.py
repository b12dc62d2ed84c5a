"""Plain text tables: aligned, nothing cut off, good to read and good to pipe on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

from retrieval.report.printable import printable

Align = Literal["left", "right"]


def table(
    rows: Iterable[Sequence[object]], heads: Sequence[str], align: Sequence[Align] = ()
) -> str:
    """Rows under heads, two spaces between columns; a column is left-aligned unless said."""
    texts = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(heads, *texts, strict=True)]
    sides = [*align, *["left"] * (len(heads) - len(align))]
    return "\n".join(
        "  ".join(_padded(*cell) for cell in zip(row, widths, sides, strict=True)).rstrip()
        for row in [heads, *texts]
    )


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Names and values, one pair a line, the values below each other."""
    texts = [(name, printable(str(value))) for name, value in pairs]
    width = max(_width(name) for name, _ in texts)
    return "\n".join(f"{_padded(name, width, 'left')}  {value}" for name, value in texts)


def _padded(text: str, width: int, side: str) -> str:
    space = " " * (width - _width(text))
    return space + text if side == "right" else text + space


def _width(text: str) -> int:
    """Columns in a terminal: wide East Asian characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
