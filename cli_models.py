"""`fourm models`: list, download, check and describe models; a part of `cli`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import retrieval
from cli_options import AsJson, read_name, read_path
from cli_output import json_array, json_object, print_text
from cli_tables import key_values, table

if TYPE_CHECKING:
    from retrieval import Fetched, ModelCard, Verified

_UNITS = ("kB", "MB", "GB", "TB")

ModelToPull = Annotated[
    str,
    typer.Argument(
        parser=read_name, metavar="NAME", help="Name listed by `fourm models`, or its repository."
    ),
]
ModelPath = Annotated[
    str,
    typer.Argument(
        parser=read_name,
        metavar="PATH",
        help="Folder of a model or tokenizer, or a name listed by `fourm models`.",
    ),
]
Purposes = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="LIST",
        help="Comma-separated modalities and embedding spaces, or all: only the tokenizers that "
        "they need are downloaded. Default: image,text,seg,dinov2.",
    ),
]
PullFolder = Annotated[
    Path | None,
    typer.Option(
        parser=read_path,
        metavar="DIR",
        help="Download into this folder, for --model DIR/4M-21_B. Default: the caches.",
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(metavar="REV", help="Branch, tag or commit of NAME. Default: main."),
]
Hashes = Annotated[
    bool,
    typer.Option("--hashes", help="Also compare the recorded SHA-256 hashes."),
]

app = typer.Typer(
    help="List, download, check and describe models.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List, download, check and describe models. Without a command: `fourm models list`."""
    if context.invoked_subcommand is None:
        list_all(as_json)


@app.command(name="list")
def list_all(as_json: AsJson = False) -> None:
    """List mini, the official 4M-21 models, the teachers and the tokenizers."""
    cards = [*retrieval.list_models(), *retrieval.list_tokenizers()]
    print_text(json_array(map(model_entry, cards)) if as_json else models_table(cards))


@app.command()
def pull(
    name: ModelToPull,
    purposes: Purposes = None,
    to: PullFolder = None,
    revision: Revision = None,
) -> None:
    """Download a model and the tokenizers that it needs, or one tokenizer.

    An interrupted download continues when the same command is run again. The hash of every file
    is checked and recorded.
    """
    count = 0
    for pulled in retrieval.pull_model(name, purposes, to=to, revision=revision, progress=True):
        print_text(pulled_line(pulled))
        count += 1
    if not count:
        print_text(f"{name} is part of this package")


@app.command()
def verify(path: ModelPath, hashes: Hashes = False) -> None:
    """Check that a model's tensors match its config and, for an official name, the official ones.

    Reads headers only and lists every difference; with any, the exit code is 1.
    """
    found = retrieval.verify_model(path, hashes=hashes, progress=True)
    print_text("\n".join(verified_text(entry) for entry in found))
    if any(entry.differences for entry in found):
        raise typer.Exit(1)


@app.command()
def info(path: ModelPath, as_json: AsJson = False) -> None:
    """Show what a model or tokenizer is, what it can be used for, and what is missing."""
    about = retrieval.describe_model(path)
    print_text(json_object(about) if as_json else model_text(about))


def models_table(cards: Iterable[ModelCard]) -> str:
    """Models and tokenizers by name."""
    rows = [
        (
            card.name,
            "no" if not card.available else "yes" if card.size is None else size(card.size),
            card.title,
            ", ".join(card.spaces),
            card.note,
        )
        for card in cards
    ]
    return table(rows, ("name", "local", "title", "spaces", "note"), ("left", "right"))


def model_entry(card: ModelCard) -> dict[str, Any]:
    """A model or tokenizer with the keys of `fourm models list --json`."""
    return {
        "name": card.name,
        "type": card.kind,
        "title": card.title,
        "inputs": list(card.inputs),
        "spaces": list(card.spaces),
        "where": card.where,
        "available": card.available,
        "bytes": card.size,
        "note": card.note,
    }


def pulled_line(pulled: Fetched) -> str:
    """What was downloaded of one repository, and where it is."""
    revision = pulled.revision[:12]
    return retrieval.printable(
        f"{pulled.repository} at {revision}: {pulled.note}, {size(pulled.size)} in {pulled.path}"
    )


def verified_text(found: Verified) -> str:
    """One line if everything matches; else one line per difference."""
    if found.differences:
        lines = [f"{found.path}: {len(found.differences)} differences"]
        lines += [f"  {difference}" for difference in found.differences]
        return "\n".join(retrieval.printable(line) for line in lines)
    parts = []
    if found.tensors:
        stored = ", ".join(f"{count} {dtype}" for dtype, count in (found.dtypes or {}).items())
        parts.append(f"{found.tensors} tensors ({stored}), {found.values:,} values")
    parts.append(size(found.size))
    if found.official:
        parts.append(f"as in {found.official}")
    if found.hashed:
        parts.append(f"{found.hashed} hashes as recorded")
    return retrieval.printable(f"{found.path}: OK, {found.kind}, {', '.join(parts)}")


def model_text(about: Mapping[str, Any]) -> str:
    """The keys and values of `fourm models info --json` as text."""
    rows: list[tuple[str, object]] = []
    for name, value in about.items():
        if name == "missing":
            rows += [
                (
                    "missing" if number == 0 else "",
                    f"{entry['for']}: needs {', '.join(entry['needs'])}; {entry['pull']}",
                )
                for number, entry in enumerate(value)
            ]
        else:
            rows.append((name.replace("_", " "), _model_value(name, value)))
    return key_values(rows)


def size(count: int) -> str:
    """A number of bytes, e.g. `3.4 GB`, in units of 1000."""
    if count < 1000:
        return f"{count} bytes"
    number = float(count)
    for unit in _UNITS:
        number /= 1000
        if number < 999.5 or unit == _UNITS[-1]:
            break
    return f"{number:.1f} {unit}"


def _model_value(name: str, value: Any) -> str:
    if name == "bytes":
        return size(value)
    if name == "parameters":
        return ", ".join(f"{part} {count / 1e6:.1f} M" for part, count in value.items())
    if name == "depth":
        return " + ".join(str(blocks) for blocks in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {what}" for what, count in value.items())
    if isinstance(value, list):
        return ", ".join(value) if value else "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)
