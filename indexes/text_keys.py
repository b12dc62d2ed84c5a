"""Text as it is compared: without regard to case, and to how accents are encoded."""

from __future__ import annotations

import unicodedata


def text_key(text: str) -> str:
    """The same string for texts that count as equal."""
    if text.isascii():
        return text.lower()
    text = _encodable(text)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _encodable(text: str) -> str:
    """With replacement characters for bytes that are not UTF-8, as in names of files."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text.encode("utf-8", "replace").decode("utf-8")
