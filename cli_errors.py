"""Errors as one line and an exit code; a part of `cli`."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperGroup

from cli_output import note, note_below


class OneLineErrors(TyperGroup):
    """Reports wrong options and the errors of the packages as one line and an exit code."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Parse the arguments, run the command, exit."""
        given = (args, prog_name, complete_var, False, windows_expand_args)
        if not standalone_mode:
            return super().main(*given, **extra)
        try:
            code = super().main(*given, **extra)
        except Exception as error:
            if not _is_usage(error):
                raise
            if type(error).__name__ == "NoArgsIsHelpError":
                error.show()  # type: ignore[attr-defined]
            else:
                _note_usage(error)
            code = getattr(error, "exit_code", 2)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            _note_stopped()
            raise typer.Exit(130) from None
        except Exception as error:
            code = None if _is_usage(error) else _exit_code(error)
            if code is None:
                raise
            note(str(error) or type(error).__name__)
            for line in getattr(error, "excerpt", ()):
                note_below(line)
            raise typer.Exit(code) from None


def _is_usage(error: Exception) -> bool:
    """Whether the options are wrong. Newer versions of typer have a click of their own."""
    return hasattr(error, "format_message")


def _exit_code(error: Exception) -> int | None:
    """The exit code of an error of the packages; None for any other error."""
    from retrieval import (
        BadInput,
        BuildInterrupted,
        FourmError,
        IndexesError,
        RetrievalError,
        UsageError,
    )

    codes: dict[type[Exception] | tuple[type[Exception], ...], int | None] = {
        BuildInterrupted: 130,
        (UsageError, BadInput): 2,
        BrokenPipeError: None,
        (RetrievalError, FourmError, IndexesError, OSError): 1,
    }
    return next((code for types, code in codes.items() if isinstance(error, types)), None)


def run(app: Callable[[], Any]) -> None:
    """Run an application as the command line of this process."""
    if sys.stderr is None:  # closed: output is discarded
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if os.environ.get("NO_COLOR"):
        # Rich leaves out the colours alone; Typer reads this when it first formats something.
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
    # Results say what they have to say about files; Pillow's warnings name none.
    warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
    try:
        app()
    except (KeyboardInterrupt, typer.Abort):  # before the command has begun
        _note_stopped()
        sys.exit(130)
    finally:
        # While Python ends, Ctrl-C would show where it was interrupted.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _note_usage(error: Any) -> None:
    """The message about invalid options, with the help to read."""
    context = getattr(error, "ctx", None)
    command = "fourm" if context is None else context.command_path
    message = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    note(f"{message} (see `{command} --help`)")


def _note_stopped() -> None:
    """Report Ctrl-C. Imports nothing: it may have interrupted an import."""
    with suppress(OSError):
        typer.echo("fourm: stopped", err=True)
