"""What users bring as boxes, colours and facts, whatever a model makes of them."""

from __future__ import annotations

from typing import Any

from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.boxes import Box


def as_boxes(value: Any) -> list[Box]:
    """A list of `Box`.

    Raises:
        BadInput: something else.
    """
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Box) for item in value):
        raise BadInput(f"expected a list of Box, not {type(value).__name__}", where="boxes")
    return list(value)


def as_colours(value: Any) -> list[tuple[Any, ...]]:
    """A list of colours, whose number, parts and range the modality judges.

    Raises:
        BadInput: something else.
    """
    try:
        return [tuple(colour) for colour in value]
    except (TypeError, ValueError):
        raise BadInput(
            f"a palette is a list of colours (red, green, blue), not {shown(value)}"
        ) from None


def as_facts(value: Any) -> dict[str, Any]:
    """A dict with at least one key.

    Raises:
        BadInput: something else.
    """
    if not isinstance(value, dict) or not value:
        raise BadInput(f"metadata is a dict of at least one key and its number, not {shown(value)}")
    return value
