"""The options of all commands, each declared once; a part of `cli`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import retrieval
from cli_output import Format

Inputs = Mapping[str, Any]


def accepts_inputs(
    but: tuple[str, ...] = (), panel: str = "Query"
) -> Callable[[Callable[..., None]], Any]:
    """Give a command one option for each option of a query.

    The command receives what was given as one mapping, its parameter `inputs`.

    Args:
        but: names of options to leave out.
        panel: the help panel of those that give an input.
    """

    def decorate(command: Callable[..., None]) -> Any:
        options = [
            option
            for option in retrieval.query_options()
            if option.name not in but and not option.python_only
        ]
        parameters = []
        # Python 3.10's get_type_hints hides the option of `= None` in another Optional.
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            if parameter.name != "inputs":
                parameters.append(parameter)
                continue
            for option in options:
                one: Any = str if option.typed else Path
                declared = typer.Option(
                    option.flag,
                    metavar=option.metavar,
                    help=option.help,
                    parser=read_path if one is Path else None,
                    rich_help_panel=panel if option.panel == "Query" else option.panel,
                )
                value: Any = list[one] if option.repeated else one
                annotation = Annotated[value | None, declared]
                parameters.append(
                    inspect.Parameter(
                        option.name, parameter.kind, default=None, annotation=annotation
                    )
                )

        @functools.wraps(command)
        def run(**given: Any) -> None:
            command(inputs={option.name: given.pop(option.name) for option in options}, **given)

        vars(run)["__signature__"] = inspect.Signature(parameters)
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate


def read_path(text: str) -> Path:
    """A path as it is typed. An empty one, e.g. of an unset variable, is not the current folder."""
    if not text:
        raise typer.BadParameter("expected a path, got an empty string")
    return Path(text)


def read_name(text: str) -> str:
    """A name or a path as it is typed."""
    if not text:
        raise typer.BadParameter("expected a name or a path, got an empty string")
    return text


def _devices() -> list[str]:
    return ["auto", "cpu", "cuda", "mps"]


def _models() -> list[str]:
    return [card.name for card in retrieval.list_models()]


def _modalities() -> list[str]:
    return [option.name for option in retrieval.query_options() if getattr(option, "items", None)]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fourm {retrieval.__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
    ),
]
IndexFolder = Annotated[
    Path, typer.Argument(parser=read_path, metavar="INDEX", help="Folder of the index.")
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print JSON instead of a table.", rich_help_panel="Output"),
]

# Model

ModelName = Annotated[
    str | None,
    typer.Option(
        parser=read_name,
        metavar="NAME",
        help="Name listed by `fourm models`, folder, or hub name. Default: the index's own model, "
        "or mini for a new index.",
        autocompletion=_models,
        rich_help_panel="Model",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Device: auto, cpu, cuda or mps.",
        autocompletion=_devices,
        rich_help_panel="Model",
    ),
]
Dtype = Annotated[
    Literal["auto", "float32", "bfloat16", "float16"],
    typer.Option(
        help="Precision of the model.",
        rich_help_panel="Model",
    ),
]
TeacherWeights = Annotated[
    list[str] | None,
    typer.Option(
        "--teacher",
        metavar="NAME=PATH",
        help="Weights of a teacher: clip or dinov2, and a file, folder or hub name. Default: as "
        "the index remembers, or the hub. May be repeated.",
        rich_help_panel="Model",
    ),
]
TextEncoder = Annotated[
    Literal["clip", "4m"],
    typer.Option(
        help="Encoder of a text alone in the space clip, for an index made by teachers.",
        rich_help_panel="Model",
    ),
]
Encoder = Annotated[
    Literal["model", "teacher"] | None,
    typer.Option(
        help="Encoder of images: model, or teacher (the networks that 4M-21 predicts). Default: "
        "as the index was made, or model.",
        rich_help_panel="Model",
    ),
]
ClipPixels = Annotated[
    Literal["imagenet", "clip"] | None,
    typer.Option(
        help="Pixel normalisation of the teacher clip: imagenet, as 4M-21 learned it (default), "
        "or clip, CLIP's own.",
        rich_help_panel="Model",
    ),
]

# Index

GalleryFolder = Annotated[
    Path,
    typer.Argument(
        parser=read_path,
        metavar="FOLDER",
        help="Folder of images, or of another modality (--as).",
    ),
]
NewIndex = Annotated[
    Path,
    typer.Option(
        parser=read_path,
        metavar="INDEX",
        help="Folder of the index.",
        rich_help_panel="Gallery",
    ),
]
ItemModality = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="MODALITY",
        help="Modality of the items: image, depth, seg, edges, text ...",
        autocompletion=_modalities,
        rich_help_panel="Gallery",
    ),
]
DepthNear = Annotated[
    Literal["low", "high"] | None,
    typer.Option(
        help="Which values of depth maps are near: low (default) or high.",
        rich_help_panel="Gallery",
    ),
]
SegFormat = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="Format of segmentation maps, as of `fourm query`. Default: auto.",
        rich_help_panel="Gallery",
    ),
]
NewSpaces = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        metavar="NAME",
        help="Embedding space to add to the index, or all. Default: for a new index, those that "
        "the model searches in. May be repeated.",
        rich_help_panel="Gallery",
    ),
]
Retry = Annotated[
    bool,
    typer.Option(
        "--retry", help="Retry unchanged files that were skipped.", rich_help_panel="Gallery"
    ),
]
MaxPixels = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Largest image to decode, in pixels. Default: what a quarter of the free memory "
        "holds.",
        rich_help_panel="Gallery",
    ),
]
AllowTruncated = Annotated[
    bool,
    typer.Option(
        "--allow-truncated",
        help="Read truncated images as far as they go.",
        rich_help_panel="Gallery",
    ),
]
CheckContent = Annotated[
    bool,
    typer.Option(
        "--check-content",
        help="Read all files again, also those whose size, times and inode are unchanged.",
        rich_help_panel="Gallery",
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Names to leave out, as in .gitignore: '*.gif', 'drafts/'. The index remembers them; "
        "given again, they replace those of before ('' removes them). A file .fourmignore in the "
        "gallery names more. May be repeated.",
        rich_help_panel="Gallery",
    ),
]
Moved = Annotated[
    bool,
    typer.Option(
        "--moved",
        help="The gallery was moved or copied to FOLDER, and its old folder still exists.",
        rich_help_panel="Gallery",
    ),
]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Delete the items of folders that are empty or gone. They are kept otherwise, hidden "
        "from searches, since a disk may not be mounted.",
        rich_help_panel="Gallery",
    ),
]
BatchSize = Annotated[
    int, typer.Option(metavar="N", help="Items per forward pass.", rich_help_panel="Speed")
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Threads that read and decode. Default: one per core, at most 8.",
        rich_help_panel="Speed",
    ),
]

# Search

Text = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="Text to search for; - reads it from stdin."),
]
QueryFile = Annotated[
    Path | None,
    typer.Option(
        "--from",
        parser=read_path,
        metavar="FILE",
        help="JSON file of the query, with the keys of a line of `fourm eval`; paths in it are "
        "relative to it. Options add to it.",
        rich_help_panel="Query",
    ),
]
Count = Annotated[
    int, typer.Option("-k", metavar="N", help="Number of hits.", rich_help_panel="Search")
]
Spaces = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        metavar="NAME[=WEIGHT]",
        help="Embedding space to search in, all, or auto (default): the one in which the model "
        "finds most for such a query, or the index's first. May be repeated; several are fused.",
        rich_help_panel="Search",
    ),
]
Fusion = Annotated[
    Literal["rrf", "scores"] | None,
    typer.Option(
        help="How several spaces are fused: rrf (reciprocal rank fusion, the default) or scores "
        "(weighted mean of the cosines).",
        rich_help_panel="Search",
    ),
]
Modalities = Annotated[
    list[str] | None,
    typer.Option(
        "--modality",
        metavar="NAME",
        help="Modality of the items to search: image, depth ... Default: all. May be repeated.",
        autocompletion=_modalities,
        rich_help_panel="Search",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        metavar="FILTER",
        help="Filter of the items, e.g. \"taken >= 2024 and path like 'trips/%'\"; see "
        "docs/filters.md.",
        rich_help_panel="Search",
    ),
]
Offset = Annotated[
    int,
    typer.Option(
        metavar="N", help="Number of the best hits to leave out.", rich_help_panel="Search"
    ),
]
MinScore = Annotated[
    float | None,
    typer.Option(metavar="SCORE", help="Lowest score of a hit.", rich_help_panel="Search"),
]
Cut = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Lowest score of a hit as a share of the best one, e.g. 0.9.",
        rich_help_panel="Search",
    ),
]
JudgedQueries = Annotated[
    Path,
    typer.Option(
        parser=read_path,
        metavar="FILE",
        help="JSON lines: the options of `fourm query` as keys, e.g. text, image, seg, with paths "
        "relative to the file, and relevant, a list of paths relative to the gallery.",
    ),
]

# Output

OutputFormat = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="Output format. Default: table.",
        rich_help_panel="Output",
    ),
]
JsonFormat = Annotated[
    bool, typer.Option("--json", help="Short for --format json.", rich_help_panel="Output")
]
NulPaths = Annotated[
    bool,
    typer.Option(
        "--print0",
        "-0",
        help="Print paths separated by NUL characters, for xargs -0.",
        rich_help_panel="Output",
    ),
]
PageFile = Annotated[
    Path | None,
    typer.Option(
        "--html",
        parser=read_path,
        metavar="FILE",
        help="Write an HTML page of the query and the hits.",
        rich_help_panel="Output",
    ),
]
SheetFile = Annotated[
    Path | None,
    typer.Option(
        "--sheet",
        parser=read_path,
        metavar="FILE",
        help="Write a contact sheet (PNG) of the query and the hits.",
        rich_help_panel="Output",
    ),
]
ShowQuery = Annotated[
    Path | None,
    typer.Option(
        parser=read_path,
        metavar="DIR",
        help="Write what the model understands of the query.",
        rich_help_panel="Output",
    ),
]
SkippedFiles = Annotated[
    bool, typer.Option("--skipped", help="List the files that were skipped, and why.")
]
LeftOutFiles = Annotated[
    bool,
    typer.Option(
        "--left-out",
        help="List the files and folders that are left out of the galleries, and why, as the "
        "folders are now.",
    ),
]
