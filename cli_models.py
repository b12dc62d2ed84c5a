"""`fourm models`: listing, fetching, checking and describing models; a part of `cli`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli_options import AsJson
from cli_output import print_text

app = typer.Typer(
    help="List the models that can be used by name, fetch them, check them, describe them.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the models that can be used by name, fetch them, check them, describe them.

    Without a command: `fourm models list`.
    """
    if context.invoked_subcommand is None:
        list_all(as_json)


@app.command(name="list")
def list_all(as_json: AsJson = False) -> None:
    """List mini, the official 4M-21 models and their tokenizers, and which of them are here."""
    from fourm.hub.listing import list_models, list_tokenizers
    from retrieval.report.json_text import json_array
    from retrieval.report.models import listed_facts, listed_table

    found = [*list_models(), *list_tokenizers()]
    rows = (listed_facts(entry) for entry in found)
    print_text(json_array(rows) if as_json else listed_table(found))


@app.command()
def pull(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="What `fourm models list` names, or its repository."),
    ],
    wanted: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="LIST",
            help="Kinds of input and output, spaces and modalities, with commas between, or all: "
            "only the tokenizers that these need are fetched. Default: image,text,seg,dinov2.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder to put everything into side by side, for --model DIR/4M-21_B. "
            "Default: the caches, where names are looked for.",
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Branch, tag or commit of NAME. Default: main."),
    ] = None,
) -> None:
    """Download a model with the tokenizers it needs, or one tokenizer.

    A download that was stopped goes on where it was when the same command is run again. Every
    file's hash is checked and recorded.
    """
    from fourm import BadInput
    from fourm.hub.pulling import pull as fetch
    from retrieval.errors import UsageError
    from retrieval.report.models import pulled_line

    parts = [_purpose(part.strip()) for part in wanted.split(",")] if wanted is not None else []
    count = 0
    try:
        for fetched in fetch(name, parts, to=to, revision=revision, progress=True):
            print_text(pulled_line(fetched))
            count += 1
    except BadInput as error:
        raise UsageError(error, where="--for") from None
    if not count:
        print_text(f"{name} comes with this package")


def _purpose(name: str) -> str:
    """A kind by any name that `fourm generate --to` takes, where it is no name of a purpose."""
    from fourm.hub.official import spaces
    from fourm.modalities import MODALITIES
    from retrieval.generation.names import ALIASES

    asked = name.lower().replace("-", "_")
    return name if asked in MODALITIES or asked in spaces() else ALIASES.get(asked, name)


@app.command()
def verify(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="Folder of a model or tokenizer, or a name that was pulled."
        ),
    ],
    hashes: Annotated[
        bool,
        typer.Option(
            "--hashes", help="Read the files whole and compare them with the hashes of `pull`."
        ),
    ] = False,
) -> None:
    """Check that a model's tensors are those that its config, and its official name, ask for.

    Only headers are read. Every difference is listed; with one, the exit code is 1.
    """
    from fourm.hub.verifying import verify as check
    from retrieval.report.models import verified_text

    found = check(path, hashes=hashes, progress=True)
    print_text("\n".join(verified_text(entry) for entry in found))
    if any(entry.differences for entry in found):
        raise typer.Exit(1)


@app.command()
def info(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="Folder of a model or tokenizer, or a name that is listed."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show what a model or tokenizer is, what can be asked of it here, and how to get the rest."""
    from fourm.hub.describing import describe
    from retrieval.report.json_text import json_object
    from retrieval.report.models import described_text

    facts = describe(path)
    print_text(json_object(facts) if as_json else described_text(facts))
