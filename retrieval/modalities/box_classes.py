"""Names of the classes of YOLO files: `classes.txt` or `data.yaml` beside them."""

from __future__ import annotations

import re
from pathlib import Path

from retrieval.errors import QueryError
from retrieval.inputs import bounded_text

_LISTS = ("classes.txt", "obj.names")
_SETTINGS = ("data.yaml", "data.yml", "dataset.yaml")
_LEVELS = 3
_LARGEST = 1 << 20


def class_list(path: Path) -> tuple[dict[int, str], Path] | None:
    """Number -> name of the classes of a YOLO file, and the file that lists them.

    A list lies in the same folder; `data.yaml` there, or up to two folders above (`labels/train`).

    Raises:
        QueryError: such a file cannot be read.
    """
    for name in _LISTS:
        if (file := path.parent / name).is_file() and file.name != path.name:
            lines = [line.strip() for line in _text(file).splitlines()]
            return {number: line for number, line in enumerate(lines) if line}, file
    for folder in [path.parent, *path.absolute().parent.parents][:_LEVELS]:
        for name in _SETTINGS:
            if (file := folder / name).is_file() and (names := names_of_yaml(_text(file))):
                return names, file
    return None


def names_of_yaml(text: str) -> dict[int, str]:
    """The entry `names` of a YOLO data set's settings: a list or a mapping, in any style.

    Only this entry is read, so no YAML reader is needed.
    """
    found = re.search(r"^names[ \t]*:[ \t]*(.*(?:\n(?:[ \t\-\]}#].*|[ \t]*))*)", text, re.MULTILINE)
    if found is None:
        return {}
    body = re.sub(r"(^|\s)#.*", "", found[1]).strip()
    parts = body[1:].rstrip("]}").split(",") if body[:1] in ("[", "{") else body.splitlines()
    entries = [part.strip() for part in parts if part.strip()]
    names = {}
    for position, entry in enumerate(entries):
        numbered = re.match(r"(\d+)\s*:\s*(.*)", entry)
        number, name = (int(numbered[1]), numbered[2]) if numbered else (position, entry)
        names[number] = name.removeprefix("- ").strip().strip("'\"")
    return names


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST:
            raise QueryError("is too large for a list of classes", where=file)
        return bounded_text(file)
    except OSError as error:
        raise QueryError(f"cannot be read ({error.strerror})", where=file) from None
    except UnicodeDecodeError as error:
        raise QueryError(f"not UTF-8 text ({error.reason})", where=file) from None
