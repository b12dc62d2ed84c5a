"""What the command line writes to the terminal; a part of `cli`."""

from __future__ import annotations

import sys
from contextlib import suppress

import typer


def print_text(text: str) -> None:
    """Print a text that is escaped already, in whatever charset the terminal has.

    Raises:
        retrieval.RetrievalError: standard output is closed, or full.
        BrokenPipeError: whoever read it has gone.
    """
    from retrieval import RetrievalError

    if sys.stdout is None:
        raise RetrievalError("nothing can be printed: standard output is closed")
    encoding = sys.stdout.encoding or "utf-8"
    try:
        typer.echo(text.encode(encoding, "backslashreplace").decode(encoding))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RetrievalError(f"the output cannot be written ({error.strerror})") from None


def note(message: str) -> None:
    """One line on stderr."""
    from retrieval.report.printable import printable

    with suppress(OSError):  # the exit code tells it, too
        typer.echo(f"fourm: {printable(message)}", err=True)
