"""What is wrong with a filter, and where."""

from __future__ import annotations

import unicodedata

from retrieval.errors import UsageError

_SHOWN = 72


class FilterError(UsageError):
    """A filter that cannot be read.

    Attributes:
        text: the filter.
        column: of the first character that is wrong, from 1.
        excerpt: two lines for a terminal, the text around that character and a caret under it.
    """

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.text = text
        self.column = position + 1
        self._position = position
        super().__init__(reason, where=f"where, column {self.column}")

    def __reduce__(self) -> tuple[type[FilterError], tuple[str, str, int]]:
        return type(self), (self.reason, self.text, self._position)

    @property
    def excerpt(self) -> tuple[str, str]:
        """Two lines; control characters are shown as spaces."""
        start = max(0, self._position - _SHOWN // 2)
        shown = self.text[start : start + _SHOWN]
        plain = "".join(char if char.isprintable() else " " for char in shown)
        return plain, " " * sum(map(_cells, plain[: self._position - start])) + "^"


def _cells(character: str) -> int:
    """The width of a character on a terminal."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
