"""Text as it is compared: without regard to case, and to how accents are encoded."""

from __future__ import annotations

import unicodedata


def text_key(text: str) -> str:
    """The same string for texts that count as equal."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
