"""Values as error messages show them."""

from __future__ import annotations

from typing import Any


def shown(value: Any, most: int = 60) -> str:
    """A value as a message shows it: on one line, its end left out where it is long."""
    if isinstance(value, (str, bytes)):
        value = value[: most + 1]  # never the whole of a large one
    try:
        text = " ".join(repr(value).split())
    except Exception:  # whole numbers of thousands of digits, objects with a broken repr
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."
