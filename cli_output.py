"""What the command line writes to the terminal; a part of `cli`."""

from __future__ import annotations

import sys

import typer


def print_text(text: str) -> None:
    """Print a text that is escaped already, in whatever charset the terminal has."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def note(message: str) -> None:
    """One line on stderr."""
    from retrieval.report.printable import printable

    typer.echo(f"fourm: {printable(message)}", err=True)
