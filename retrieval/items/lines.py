"""Text files whose lines are items.

- `.txt`: each line is one item, as it stands; its path is `captions.txt:12`.
- `.jsonl`: each line is an object with the item under the modality's name, and optionally an `id`;
  its path is `captions.jsonl#dog-7`, or with the number of the line where it has no id.

Empty lines are none. A line keeps its vector as long as its text and its path stay the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retrieval.errors import ItemError
from retrieval.images import FoundItem

OBJECTS_SUFFIX = ".jsonl"
_LONGEST_ID = 200


@dataclass(frozen=True)
class FoundLine(FoundItem):
    """A line: `size` is its own, the times and the inode are those of its file.

    `value` is what the source reads; None: `problem` says why there is none.
    """

    line: bytes = field(default=b"", repr=False)
    value: Any = None
    problem: str = ""


def lines_of(content: bytes, file: FoundItem, name: str) -> Iterator[FoundLine]:
    """The items of one file.

    Args:
        content: of the whole file.
        file: the file.
        name: of the source whose items these are, e.g. `text`.

    Raises:
        ItemError: the file is not UTF-8 text.
    """
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ItemError(f"not UTF-8 text ({error.reason} at byte {error.start})") from None
    path, times = file.path, (file.mtime_ns, file.ctime_ns, file.inode)
    objects = path.lower().endswith(OBJECTS_SUFFIX)
    lines: dict[str, int] = {}
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        line = raw.strip()
        if not line:
            continue
        place = f"{path}:{number}"
        if not objects:
            text = line.decode("utf-8")
            yield FoundLine(place, len(line), *times, line, text)
            continue
        try:
            id_, value = _object(line, name)
            if id_ is not None:
                if id_ in lines:
                    raise ItemError(f"the id {id_!r} is used by line {lines[id_]} already")
                lines[id_] = number
                place = f"{path}#{id_}"
        except ItemError as error:
            yield FoundLine(place, len(line), *times, line, None, str(error))
        else:
            yield FoundLine(place, len(line), *times, line, value)


def file_of(path: str) -> str:
    """The path of the file in which the item of that path is a line."""
    named = path.rpartition("#")[0]
    if named.lower().endswith(OBJECTS_SUFFIX):
        return named
    return path.rpartition(":")[0] or path


def _object(line: bytes, name: str) -> tuple[str | None, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ItemError(f"not JSON ({error})") from None
    if not isinstance(entry, dict) or entry.get(name) is None:
        raise ItemError(f"expected a JSON object with {name!r}, and optionally an 'id'")
    id_ = entry.get("id")
    if id_ is None:
        return None, entry[name]
    if isinstance(id_, int) and not isinstance(id_, bool):
        id_ = str(id_)
    if not isinstance(id_, str) or not 0 < len(id_) <= _LONGEST_ID:
        raise ItemError(f"id: expected a number, or a text of 1 to {_LONGEST_ID} characters")
    if not id_.isprintable() or any(mark in id_ for mark in "/#"):
        raise ItemError("id: has a character that no id may have: '/', '#', or an invisible one")
    return id_, entry[name]
