"""The `fourm` command: reads arguments, calls `retrieval`, prints what comes back.

Everything that takes time to import is imported by the command that needs it, so that
`fourm --help` answers at once.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup

from retrieval.sources import SETTINGS


class _OneLineErrors(TyperGroup):
    """Turns the errors that the packages raise on purpose into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            _note("stopped")
            raise typer.Exit(130) from None
        except Exception as error:
            code = _exit_code(error)
            if code is None:
                raise
            _note(str(error) or type(error).__name__)
            raise typer.Exit(code) from None


def _exit_code(error: Exception) -> int | None:
    from fourm import FourmError
    from indexes import IndexesError
    from retrieval import RetrievalError

    if isinstance(error, RetrievalError):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        return None
    return 1 if isinstance(error, (FourmError, IndexesError, OSError)) else None


def _note(message: str) -> None:
    from retrieval.report.printable import printable

    typer.echo(f"fourm: {printable(message)}", err=True)


app = typer.Typer(
    cls=_OneLineErrors,
    help="Find photos by words, by another photo, or by a segmentation map.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

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
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="Kind of items to find: image, depth ... Default: all. May be repeated.",
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
ReadBy = Annotated[
    str,
    typer.Option(
        "--words",
        metavar="WHO",
        help="In an index that teachers made, what reads words alone in the space clip: CLIP's "
        "text tower, or the model.",
    ),
]

_Sources = Mapping[str, Any]


def _takes_sources(but: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Any]:
    """Give a command an option for each thing that can be said of a query.

    The command gets what was given of them as one mapping, `sources`.
    """
    settings = [setting for setting in SETTINGS if setting.name not in but]

    def decorate(command: Callable[..., None]) -> Any:
        hints = get_type_hints(command, include_extras=True)
        parameters = []
        for parameter in inspect.signature(command).parameters.values():
            if parameter.name != "sources":
                parameters.append(parameter.replace(annotation=hints[parameter.name]))
                continue
            for setting in settings:
                option = typer.Option(setting.flag, metavar=setting.metavar, help=setting.help)
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


@app.command()
def index(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder of pictures, or of items of another kind (--as)."
        ),
    ],
    to: Annotated[Path, typer.Option(metavar="INDEX", help="Folder of the index.")],
    kind: Annotated[
        str,
        typer.Option(
            "--as", metavar="KIND", help="What the items are: image, depth, seg, edges, text ..."
        ),
    ] = "image",
    depth_near: Annotated[
        str | None,
        typer.Option(
            metavar="WORD", help="Which values of depth maps are near: low (the default) or high."
        ),
    ] = None,
    spaces: Annotated[
        list[str] | None,
        typer.Option(
            "--space",
            metavar="NAME",
            help="Embedding space of the model to have in the index, besides those that it has. "
            "Default: the model's first. May be repeated; all stands for all of them.",
        ),
    ] = None,
    model: ModelName = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who embeds the pictures: the model, or teacher, the networks that it predicts. "
            "Default: as the index was made, or the model.",
        ),
    ] = None,
    teachers: TeacherWeights = None,
    clip_pixels: Annotated[
        str | None,
        typer.Option(
            metavar="WHOSE",
            help="Mean and deviation of the pixels behind a teacher's clip: imagenet, as 4M-21 "
            "learned it (the default), or clip, CLIP's own.",
        ),
    ] = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: Annotated[int, typer.Option(help="Pictures in one pass of the model.")] = 32,
    workers: Annotated[
        int | None, typer.Option(help="Threads that read and decode. Default: one a core.")
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try unchanged files again that were skipped before.")
    ] = False,
) -> None:
    """Index a folder of pictures, or of items of another kind, or bring its index up to date.

    New and changed pictures are added, deleted ones forgotten, moved ones recognised. What cannot
    be read is skipped and listed by `fourm info --skipped`. A run that was stopped goes on where
    it was when the same command is run again.
    """
    from retrieval import Gallery
    from retrieval.encoders import read_encoder
    from retrieval.report.texts import build_summary

    with Gallery.build(
        folder,
        to,
        model,
        encoder=read_encoder(encoder, teachers or (), clip_pixels),
        kind=kind,
        depth_near=depth_near,
        spaces=spaces or None,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        retry=retry,
        progress=True,
    ) as gallery:
        if gallery.report is not None:
            _print(build_summary(gallery.report, str(to)))


@app.command()
@_takes_sources(but=("text",))
def query(
    index: IndexFolder,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="Words to find.")] = None,
    *,
    sources: _Sources,
    query_file: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="The query as a JSON object, with the keys of a line of `fourm eval`; paths in it "
            "are relative to it. Options add to it.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="How many pictures to find.")] = 10,
    spaces: Spaces = None,
    fusion: Fusion = "rrf",
    kinds: Kinds = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with the query and the hits.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same as one contact sheet (PNG).")
    ] = None,
    model: ModelName = None,
    teachers: TeacherWeights = None,
    read_by: ReadBy = "tower",
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Find the pictures nearest to words, a picture, a segmentation map, or several together.

    All that is given goes into one forward pass of the model, unless it is weighed. `fourm models`
    lists what each model takes in: mini words, pictures and segmentation maps, 4M-21 all that there
    is here.
    """
    from retrieval import Gallery, Query
    from retrieval.encoders import read_query_teachers
    from retrieval.gallery import check_k
    from retrieval.queries.query import input_files
    from retrieval.queries.query_files import added_to_file
    from retrieval.report import Results, write_page, write_sheet
    from retrieval.report.json_text import json_array
    from retrieval.report.outputs import check_output
    from retrieval.report.texts import hits_table, words_of
    from retrieval.scope import typed_spaces

    check_k(k)
    weights = typed_spaces(spaces or ())
    given = {"text": text, **sources}
    if query_file is not None:
        given = added_to_file(query_file, given)
    asked = Query.read(**given)
    for output in (html, sheet):
        check_output(output, (query_file, *input_files(given)))
    asked_teachers = read_query_teachers(teachers or (), read_by)
    with Gallery.open(index, model, encoder=asked_teachers, device=device, dtype=dtype) as gallery:
        (hits,) = gallery.search_batch(
            [asked], k, spaces=weights, fusion=fusion, kinds=kinds or None
        )
        if html is not None or sheet is not None:
            results = Results.of(gallery, asked, hits, kinds)
            if html is not None:
                write_page(results, html)
            if sheet is not None:
                write_sheet(results, sheet)
        words = {} if as_json else words_of(gallery, hits)
    _print(json_array(hit.as_dict() for hit in hits) if as_json else hits_table(hits, words))
    for output in (html, sheet):
        if output is not None:
            _note(f"wrote {output}")


@app.command()
def info(
    index: IndexFolder,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="List the files that were skipped, with the reasons.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an index holds and which model made it."""
    from retrieval import Gallery
    from retrieval.report.about_index import info_facts, info_text, skipped_facts, skipped_text
    from retrieval.report.json_text import json_array, json_object

    with Gallery.open(index) as gallery:
        if skipped:
            stored = gallery.index
            _print(json_array(skipped_facts(stored)) if as_json else skipped_text(stored))
        else:
            entries = info_facts(gallery.index)
            _print(json_object(entries) if as_json else info_text(entries))


@app.command()
def classes(as_json: AsJson = False) -> None:
    """List the classes of segmentation maps: COCO panoptic ids, colours, names."""
    from fourm.modalities.classes import panoptic_classes
    from retrieval.report.json_text import json_array
    from retrieval.report.texts import class_facts, classes_table

    found = panoptic_classes()
    if as_json:
        _print(json_array(class_facts(entry) for entry in found))
    else:
        _print(classes_table(found, swatches=sys.stdout.isatty()))


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models that can be used by name."""
    from fourm import list_models
    from retrieval.report.json_text import json_array
    from retrieval.report.texts import model_facts, models_table

    cards = list_models()
    _print(json_array(model_facts(card) for card in cards) if as_json else models_table(cards))


@app.command(name="eval")
def evaluate_queries(
    index: IndexFolder,
    queries: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="One JSON object a line: what `fourm query` has options for, e.g. text, image, "
            "seg (paths relative to the file), and relevant, a list of paths relative to the "
            "gallery.",
        ),
    ],
    as_json: AsJson = False,
    batch_size: Annotated[int, typer.Option(help="Queries in one pass of the model.")] = 32,
    spaces: Spaces = None,
    fusion: Fusion = "rrf",
    kinds: Kinds = None,
    model: ModelName = None,
    teachers: TeacherWeights = None,
    read_by: ReadBy = "tower",
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Measure how well queries find what they should: recall@1/5/10, median rank, MAP."""
    from retrieval import Gallery
    from retrieval.encoders import read_query_teachers
    from retrieval.evaluation import evaluate, read_queries
    from retrieval.report.json_text import json_object
    from retrieval.report.texts import evaluation_table, missing_warning
    from retrieval.scope import typed_spaces

    weights = typed_spaces(spaces or ())
    judged = read_queries(queries)
    asked_teachers = read_query_teachers(teachers or (), read_by)
    with Gallery.open(index, model, encoder=asked_teachers, device=device, dtype=dtype) as gallery:
        result = evaluate(
            gallery,
            judged,
            batch_size=batch_size,
            progress=True,
            spaces=weights,
            fusion=fusion,
            kinds=kinds or None,
        )
    if result.missing:
        _note(missing_warning(result.missing))
    _print(json_object(result.as_dict()) if as_json else evaluation_table(result))


def _print(text: str) -> None:
    """Print a text that is escaped already, in whatever charset the terminal has."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
