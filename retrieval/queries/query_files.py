"""Queries in JSON: one object in a file of its own, or one a line in a file of judged queries.

Keys are those of `retrieval.sources`; paths of files are relative to the file that names them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourm.messages import shown
from retrieval.errors import QueryError, UsageError
from retrieval.queries.inputs import existing_file
from retrieval.queries.json_files import parse_json, parse_text
from retrieval.queries.query import Query
from retrieval.queries.written import names_file
from retrieval.sources import NAMES, SETTINGS, Setting

RELEVANT = "relevant"
"""Key of judged queries: what the query should find."""

# What may be written out in the file itself, beside a string.
_LISTS = frozenset({"boxes", "palette", "metadata", "not_text", "take", "sam"})
_OBJECTS = frozenset({"metadata", "sam", "poses", "weights"})


def read_query_file(file: str | os.PathLike[str]) -> dict[str, Any]:
    """One query, as `Query.read` takes it.

    Raises:
        UsageError: no such file, not a JSON object, or something in it that is not as it should be.
    """
    path = existing_file(file, "a query in JSON")
    return sources_of(parse_json(path), str(path), path.parent)


def read_with_file(
    file: str | os.PathLike[str] | None, given: Mapping[str, Any]
) -> tuple[Query, dict[str, Any]]:
    """The query of a file, if there is one, with what was given beside it; and all its sources.

    Raises:
        UsageError: as `added_to_file` and `Query.read`; what is wrong in the file names it.
    """
    if file is None:
        return Query.read(**given), dict(given)
    sources = added_to_file(file, given)
    try:
        return Query.read(**sources), sources
    except UsageError as error:
        if any(value is not None for value in given.values()):
            raise  # nobody knows which of the two it is about
        raise type(error)(error, where=Path(file)) from None


def added_to_file(file: str | os.PathLike[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The query of a file with what was given beside it; what is None was not given.

    Raises:
        UsageError: as `read_query_file`, or something that both of them have.
    """
    sources = read_query_file(file)
    beside = {name: value for name, value in given.items() if value is not None}
    if both := [one.key for one in SETTINGS if one.name in sources.keys() & beside.keys()]:
        raise UsageError(f"given twice, in {Path(file)} and beside it", where=both[0])
    return {**sources, **beside}


def query_of_line(line: str, place: str, folder: Path) -> tuple[dict[str, Any], object]:
    """A line of a file of judged queries: the query, as `Query.read` takes it, and `relevant`.

    Raises:
        UsageError: as `read_query_file`; the message starts with `place`.
    """
    entry = parse_text(line, place)
    sources = sources_of(entry, place, folder)
    return sources, entry.get(RELEVANT)


def sources_of(entry: object, place: str, folder: Path) -> dict[str, Any]:
    """The sources that a JSON object holds, by their names in Python.

    Raises:
        UsageError: no object, a key that does not exist, a value of another form, a file that is
            not there, or no query in it.
    """
    if not isinstance(entry, Mapping):
        raise UsageError(f"expected a JSON object, got {type(entry).__name__}", where=place)
    keys = [setting.key for setting in SETTINGS]
    unknown = sorted(entry.keys() - {*keys, RELEVANT})
    if unknown:
        raise UsageError(
            f"unknown key {unknown[0]!r}; known: {', '.join(keys)}, {RELEVANT}", where=place
        )
    sources = {
        setting.name: _value(setting, entry[setting.key], f"{place}: {setting.key}", folder)
        for setting in SETTINGS
        if entry.get(setting.key) is not None
    }
    if not sources.keys() & {*NAMES, "not_text"}:
        raise UsageError(f"no query in it; give one of {', '.join(NAMES)}", where=place)
    return sources


def _value(setting: Setting, value: object, place: str, folder: Path) -> object:
    if setting.name == "boxes" and isinstance(value, list) and value:
        return [_value(setting, part, place, folder) for part in value]
    if isinstance(value, list) and setting.name in _LISTS and value:
        return value
    if isinstance(value, dict) and setting.name in _OBJECTS and value:
        return value
    if not isinstance(value, str) or not value.strip() or setting.name == "weights":
        raise QueryError(f"expected {_forms(setting)}, and not an empty one", where=place)
    if setting.typed and not (setting.name == "boxes" and names_file(value)):
        return value
    try:
        found = os.path.isfile(folder / value)
    except ValueError:  # a NUL in the name
        found = False
    if not found:
        raise QueryError(f"no such file: {_named(value)}", where=place)
    return str(folder / value)


def _named(file: str, most: int = 300) -> str:
    plain = file.isprintable() and len(file) <= most
    return file if plain else shown(file, most)


def _forms(setting: Setting) -> str:
    forms = ["a string"] if setting.name != "weights" else []
    forms += ["a list"] if setting.name in _LISTS else []
    forms += ["an object"] if setting.name in _OBJECTS else []
    return " or ".join(forms)
