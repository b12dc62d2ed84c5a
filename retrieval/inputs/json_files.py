"""JSON files of boxes, masks and poses: reading them, and checking what is in them.

Every function raises a `QueryError` about `where` for what does not fit.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any

from fourm.messages import shown
from retrieval.errors import QueryError
from retrieval.inputs import bounded_text, existing_file

_LARGEST_SIDE = 1 << 16
_MOST_NUMBERS = 1 << 22
_MOST_OBJECTS = 10_000


def load_json(source: object, modality: str) -> tuple[Any, str, str | None]:
    """What a JSON file holds (or the object itself), what to call it, and the file's name.

    Raises:
        QueryError: no such file, or not JSON.
    """
    if not isinstance(source, (str, os.PathLike)):
        return source, modality, None
    path = existing_file(source, "a JSON file")
    return parse_json(path), str(path), path.name


def parse_json(path: Path) -> Any:
    """The content of a JSON file, or a QueryError."""
    try:
        text = bounded_text(path)
    except OSError as error:
        raise QueryError(f"cannot be read ({error.strerror})", where=path) from None
    except UnicodeDecodeError as error:
        raise QueryError(f"not JSON, nor UTF-8 text ({error.reason})", where=path) from None
    return parse_text(text, str(path))


def parse_text(text: str, where: str) -> Any:
    """The content of a JSON text, or a QueryError; an object may not have one key twice."""
    try:
        return json.loads(text, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:
        raise QueryError(f"not JSON ({error})", where=where) from None


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        doubled = next(key for key, count in Counter(k for k, _ in pairs).items() if count > 1)
        raise ValueError(f"an object has the key {shown(doubled)} twice")
    return found


def size_of(entry: Any, where: str) -> tuple[int, int]:
    """`width` and `height` of an object, in pixels."""
    if not isinstance(entry, dict):
        raise QueryError("expected an object with width and height", where=where)
    size = (entry.get("width"), entry.get("height"))
    if not all(type(side) is int and 0 < side <= _LARGEST_SIDE for side in size):
        raise QueryError(
            f"width and height must be integers (pixels), got {shown(size)}", where=where
        )
    return size  # type: ignore[return-value]


def the_image(content: Any, where: str) -> tuple[int, int]:
    """The size of the one image that a COCO file is about."""
    images = content.get("images") if isinstance(content, dict) else None
    if images is None:
        return size_of(content, where)
    if not isinstance(images, list) or len(images) != 1:
        got = f"{len(images)} images" if isinstance(images, list) else shown(images)
        raise QueryError(f"expected a list of one image under 'images', got {got}", where=where)
    return size_of(images[0], where)


def objects(content: Any, key: str, where: str) -> list[dict[str, Any]]:
    """The list of objects under a key."""
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise QueryError(f"expected a list of objects under {key!r}", where=where)
    if len(entries) > _MOST_OBJECTS:
        raise QueryError(f"{len(entries)} objects; give at most {_MOST_OBJECTS}", where=where)
    return entries


def flat_numbers(value: Any, where: str) -> tuple[float, ...]:
    """Numbers of a list, however it is nested."""
    flat: list[float] = []
    waiting, seen = [value], 0
    while waiting:
        entry = waiting.pop()
        seen += 1
        if seen > _MOST_NUMBERS:  # a list can hold itself
            raise QueryError(f"more than {_MOST_NUMBERS} numbers", where=where)
        if isinstance(entry, (list, tuple)):
            waiting.extend(reversed(entry))
        elif isinstance(entry, bool) or not isinstance(entry, (int, float)):
            raise QueryError(f"expected numbers, got {type(entry).__name__}", where=where)
        elif not (abs(entry) < 1e12 and math.isfinite(entry)):
            raise QueryError(f"{shown(entry)} is not a number that can be used", where=where)
        else:
            flat.append(entry)
    return tuple(flat)


def whole_numbers(value: Any, where: str) -> tuple[int, ...]:
    """Whole numbers of a list, however it is nested."""
    numbers = flat_numbers(value, where)
    if wrong := [number for number in numbers if number != int(number)]:
        raise QueryError(f"expected integers, got {shown(wrong[0])}", where=where)
    return tuple(map(int, numbers))
