"""File names and messages escaped for terminals and pages: one line, no control characters."""

from __future__ import annotations

import unicodedata

# Controls, invisible direction marks and the like, lone surrogates, line and paragraph separators.
_ESCAPED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Emoji are joined with these.
_HARMLESS = {"\u200c", "\u200d"}


def printable(text: str) -> str:
    """The text with control characters, line breaks and stray bytes as backslash escapes."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character) not in _ESCAPED:
        return character
    return character.encode("unicode_escape").decode("ascii")
