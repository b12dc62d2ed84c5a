"""Text files whose lines are items.

- `.txt`: each line is one item, as it stands; its path is `captions.txt:12`.
- `.jsonl`: each line is an object with the item under the kind's name, and perhaps an `id`; its
  path is `captions.jsonl#dog-7`, or with the number of the line where it has no id.

Empty lines are none. A line keeps its vector as long as its text and its path stay the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retrieval.errors import PictureError
from retrieval.items.kinds import OBJECTS_SUFFIX
from retrieval.pictures import Found

_LONGEST_ID = 200


@dataclass(frozen=True)
class FoundLine(Found):
    """A line: `size` is its own, `mtime_ns` that of its file.

    `value` is what the kind's reader takes; None: `problem` says why there is none.
    """

    line: bytes = field(default=b"", repr=False)
    value: Any = None
    problem: str = ""


def lines_of(content: bytes, path: str, mtime_ns: int, kind: str) -> Iterator[FoundLine]:
    """The items of one file.

    Args:
        content: of the whole file.
        path: of the file.
        mtime_ns: time of its last change.
        kind: `text`, or another kind whose items are lines.

    Raises:
        PictureError: the file is not UTF-8 text.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PictureError(f"not UTF-8 text ({error.reason} at byte {error.start})") from None
    objects = path.lower().endswith(OBJECTS_SUFFIX)
    taken: dict[str, int] = {}
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        line = raw.strip()
        if not line:
            continue
        place = f"{path}:{number}"
        if not objects:
            text = line.decode("utf-8")
            yield FoundLine(place, len(line), mtime_ns, line, text)
            continue
        try:
            name, value = _object(line, kind)
            if name is not None:
                if name in taken:
                    raise PictureError(f"the id {name!r} is that of line {taken[name]} already")
                taken[name] = number
                place = f"{path}#{name}"
        except PictureError as error:
            yield FoundLine(place, len(line), mtime_ns, line, None, str(error))
        else:
            yield FoundLine(place, len(line), mtime_ns, line, value)


def file_of(path: str) -> str:
    """The path of the file in which the item of that path is a line."""
    named = path.rpartition("#")[0]
    if named.lower().endswith(OBJECTS_SUFFIX):
        return named
    return path.rpartition(":")[0] or path


def _object(line: bytes, kind: str) -> tuple[str | None, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PictureError(f"not JSON ({error})") from None
    if not isinstance(entry, dict) or entry.get(kind) is None:
        raise PictureError(f"expected a JSON object with {kind!r}, and perhaps an 'id'")
    name = entry.get("id")
    if name is None:
        return None, entry[kind]
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_ID:
        raise PictureError(f"id: expected a number, or a text of 1 to {_LONGEST_ID} characters")
    if not name.isprintable() or any(mark in name for mark in "/#"):
        raise PictureError("id: has a character that no id may have: '/', '#', or an invisible one")
    return name, entry[kind]
