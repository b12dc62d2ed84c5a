"""What the command line writes to stdout and stderr; a part of `cli`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import typer

import retrieval

if TYPE_CHECKING:
    from retrieval import Gallery, Hit


Format = Literal["table", "json", "jsonl", "paths"]


def chosen_format(format: Format | None, as_json: bool, nul: bool) -> Format:
    """The one format that `--format`, `--json` and `-0` ask for.

    Raises:
        retrieval.UsageError: they ask for different ones.
    """
    asked: dict[str, Format] = {}
    if format is not None:
        asked[f"--format {format}"] = format
    if as_json:
        asked["--json"] = "json"
    if nul:
        asked["--print0"] = "paths"
    if len(set(asked.values())) > 1:
        raise retrieval.UsageError(f"{' and '.join(asked)} cannot be combined; give one of them")
    return next(iter(asked.values()), "table")


def print_hits(
    gallery: Gallery, hits: Sequence[Hit], format: Format, nul: bool, table: Callable[[], str]
) -> None:
    """Print hits; `table` makes the text of the table format.

    Of items that are lines of a file, the file's path is printed, once. JSON is ASCII, so that
    every file name passes through every pipe.
    """
    if format == "paths":
        files = dict.fromkeys(str(gallery.file(hit)) for hit in hits)
        _print_paths(list(files), "\0" if nul else "\n")
    elif format == "jsonl":
        for hit in hits:
            print_text(json.dumps(hit.as_dict(), allow_nan=False))
    else:
        print_text(json_array(hit.as_dict() for hit in hits) if format == "json" else table())


def json_array(entries: Iterable[Mapping[str, Any]]) -> str:
    """An array with one object per line."""
    lines = ",\n ".join(json.dumps(entry, allow_nan=False) for entry in entries)
    return f"[{lines}]"


def json_object(entry: Mapping[str, Any]) -> str:
    """One object, indented."""
    return json.dumps(entry, indent=2, allow_nan=False)


def print_text(text: str) -> None:
    """Print a text that is already escaped, in the encoding of the terminal.

    Raises:
        retrieval.RetrievalError: stdout is closed, or the disk is full.
        BrokenPipeError: the reader has gone.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    _echo(text.encode(encoding, "backslashreplace").decode(encoding))


def on_terminal() -> bool:
    """Whether stdout is a terminal; it may be closed."""
    return sys.stdout is not None and sys.stdout.isatty()


def note(message: str) -> None:
    """Print one line on stderr."""
    with suppress(OSError):  # the exit code says it as well
        typer.echo(f"fourm: {retrieval.printable(message)}", err=True)


def note_below(line: str) -> None:
    """Print a line that belongs to the last note, indented."""
    with suppress(OSError):
        typer.echo(f"  {retrieval.printable(line)}", err=True)


def _print_paths(paths: Sequence[str], end: str) -> None:
    """Print the bytes of paths as the file system has them, unescaped."""
    for path in paths:
        _echo(path.encode("utf-8", "surrogateescape") + end.encode(), nl=False)


def _echo(text: str | bytes, nl: bool = True) -> None:
    if sys.stdout is None:
        raise retrieval.RetrievalError("cannot print: stdout is closed")
    try:
        typer.echo(text, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise retrieval.RetrievalError(f"cannot write to stdout ({error.strerror})") from None
