"""Queries in JSON: one object in a file of its own, or one a line in a file of judged queries.

Keys are those of `query_options`; paths of files are relative to the file that names them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm.messages import shown
from retrieval.errors import QueryError, UsageError
from retrieval.inputs import existing_file
from retrieval.inputs.json_files import parse_json, parse_text
from retrieval.modalities import Option, Source, sources
from retrieval.paths import read_file_path
from retrieval.queries.options import query_options
from retrieval.queries.query import Query

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from retrieval.query_inputs import QueryInputs

RELEVANT = "relevant"
"""Key of judged queries: what the query should find."""

_FORMER_KEYS = {"take": "use_only"}
"""Keys of older query files, which are still read."""


def read_query_file(file: str | os.PathLike[str]) -> dict[str, Any]:
    """The keyword arguments of `Query.read` that a file holds.

    Raises:
        UsageError: no such file, not a JSON object, or a key or value that does not fit.
    """
    path = existing_file(file, "a query in JSON")
    return sources_of(parse_json(path), str(path), path.parent)


def read_query(file: str | os.PathLike[str] | None = None, **inputs: Unpack[QueryInputs]) -> Query:
    """Read a query from a JSON file, from keyword arguments, or from both.

        query = read_query("query.json", text="a dog")

    Args:
        file: one JSON object with the inputs as keys; paths in it are relative to it.
        inputs: see `QueryInputs`; they add to those of the file.

    Raises:
        UsageError: no input, an input that is given twice, or one that cannot be read.
    """
    if file is None:
        return Query.read(**inputs)
    path = read_file_path(file, "query file")
    sources = added_to_file(file, inputs)
    try:
        query = Query.read(**sources)
    except UsageError as error:
        if any(value is not None for value in inputs.values()):
            raise  # it may be about either of the two
        raise type(error)(error, where=path) from None
    return replace(query, files=(path, *query.files))


def added_to_file(file: str | os.PathLike[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The query of a file and what was given as arguments; None counts as not given.

    Raises:
        UsageError: as `read_query_file`, or something that both of them have.
    """
    held = read_query_file(file)
    others = {name: value for name, value in given.items() if value is not None}
    if both := [one.key for one in query_options() if one.name in held.keys() & others.keys()]:
        raise UsageError(f"given twice, in {Path(file)} and as an argument", where=both[0])
    return {**_formerly(held), **held, **others}


def query_of_line(line: str, place: str, folder: Path) -> tuple[dict[str, Any], object]:
    """A line of a file of judged queries: the query, as `Query.read` takes it, and `relevant`.

    Raises:
        UsageError: as `read_query_file`; the message starts with `place`.
    """
    entry = parse_text(line, place)
    given = sources_of(entry, place, folder)
    return {**_formerly(given), **given}, entry.get(RELEVANT)


def sources_of(entry: object, place: str, folder: Path) -> dict[str, Any]:
    """The sources that a JSON object holds, by their names in Python.

    Raises:
        UsageError: no object, a key that does not exist, a value of another form, a file that is
            not there, or no query in it.
    """
    if not isinstance(entry, Mapping):
        raise UsageError(f"expected a JSON object, got {type(entry).__name__}", where=place)
    for former, key in _FORMER_KEYS.items():
        if former in entry and key in entry:
            raise UsageError(f"given twice, as {former} and as {key}", where=f"{place}: {key}")
    entry = {_FORMER_KEYS.get(str(key), str(key)): value for key, value in entry.items()}
    options = [option for option in query_options() if not option.python_only]
    keys = [option.key for option in options]
    unknown = sorted(set(entry) - {*keys, RELEVANT})
    if unknown:
        raise UsageError(
            f"unknown key {unknown[0]!r}; known: {', '.join(keys)}, {RELEVANT}", where=place
        )
    given = {
        option.name: _value(option, entry[option.key], f"{place}: {option.key}", folder)
        for option in options
        if entry.get(option.key) is not None
    }
    if not given.keys() & {*sources(), "negative_text"}:
        raise UsageError(f"it has no input; give one of {', '.join(sources())}", where=place)
    return given


def _formerly(given: Mapping[str, Any]) -> dict[str, object]:
    """Modifiers that files of earlier versions could not name, as those versions read them."""
    former: dict[str, object] = {}
    for name, source in sources().items():
        if isinstance(given.get(name), str):
            former |= source.former_modifiers
    return former


def _value(option: Option, value: object, place: str, folder: Path) -> object:
    if isinstance(value, list) and "list" in option.forms and value:
        if isinstance(option, Source) and option.file_suffixes:
            return [_value(option, part, place, folder) for part in value]
        return value
    if isinstance(value, dict) and "object" in option.forms and value:
        if isinstance(option, Source) and option.named_files:
            return {name: _value(option, part, place, folder) for name, part in value.items()}
        return value
    if not isinstance(value, str) or not value.strip() or "string" not in option.forms:
        raise QueryError(f"expected {_forms(option)}, and not an empty one", where=place)
    if option.typed and not (isinstance(option, Source) and option.names_file(value)):
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


def _forms(option: Option) -> str:
    return " or ".join(f"an {form}" if form == "object" else f"a {form}" for form in option.forms)
