"""Options that several commands of `cli` share, and those that a query is made of."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from retrieval.queries.options import query_options

IndexFolder = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]
ModelName = Annotated[
    str | None,
    typer.Option(
        help="Model: a name that `fourm models` lists, a folder, or a hub name. "
        "Default: the index's own, or mini for a new one."
    ),
]
Device = Annotated[str, typer.Option(help="Where the model runs: auto, cpu, cuda or mps.")]
Dtype = Annotated[
    str, typer.Option(help="Precision of the model: auto, float32, bfloat16 or float16.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Spaces = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        metavar="NAME[=WEIGHT]",
        help="Embedding space to search in. Default: the index's first. May be repeated to fuse "
        "several, with weights if need be; all stands for all of them.",
    ),
]
Fusion = Annotated[
    str,
    typer.Option(
        metavar="WAY",
        help="How several spaces are fused: rrf (by the ranks in each) or scores (by the cosines).",
    ),
]
Modalities = Annotated[
    list[str] | None,
    typer.Option(
        "--modality",
        metavar="NAME",
        help="Modality of the items to search: image, depth ... Default: all. May be repeated.",
    ),
]

TeacherWeights = Annotated[
    list[str] | None,
    typer.Option(
        "--teacher",
        metavar="NAME=PATH",
        help="Where a teacher's weights are: clip or dinov2, and a file, a folder or a hub name. "
        "Default: as the index remembers, or the hub. May be repeated.",
    ),
]
TextEncoder = Annotated[
    str,
    typer.Option(
        "--text-encoder",
        metavar="clip|4m",
        help="What embeds a text alone in the space clip of an index that teachers made: CLIP's "
        "text tower, or the 4M model.",
    ),
]

Sources = Mapping[str, Any]


def takes_sources(but: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Any]:
    """Give a command an option for each thing that can be said of a query.

    The command gets what was given of them as one mapping, `sources`.
    """
    settings = [
        option for option in query_options() if option.name not in but and not option.python_only
    ]

    def decorate(command: Callable[..., None]) -> Any:
        parameters = []
        # Python 3.10's get_type_hints hides the option of `= None` in another Optional.
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            if parameter.name != "sources":
                parameters.append(parameter)
                continue
            for setting in settings:
                option = typer.Option(
                    setting.flag,
                    metavar=setting.metavar,
                    help=setting.help,
                    rich_help_panel=setting.panel,
                )
                kind: Any = str if setting.typed else Path
                kind = list[str] if setting.repeated else kind
                wanted = Annotated[kind | None, option]
                parameters.append(
                    inspect.Parameter(setting.name, parameter.kind, default=None, annotation=wanted)
                )

        @functools.wraps(command)
        def run(**given: Any) -> None:
            sources = {setting.name: given.pop(setting.name) for setting in settings}
            command(**given, sources=sources)

        vars(run)["__signature__"] = inspect.Signature(parameters)
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate
