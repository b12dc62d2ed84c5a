"""The `fourm` command: reads arguments, calls `retrieval`, prints what comes back.

Everything that takes time to import is imported by the command that needs it, so that
`fourm --help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import cli_models
from cli_errors import OneLineErrors, run
from cli_options import (
    AsJson,
    Device,
    Dtype,
    Fusion,
    IndexFolder,
    Modalities,
    ModelName,
    Sources,
    Spaces,
    TeacherWeights,
    TextEncoder,
    takes_sources,
)
from cli_output import note as _note
from cli_output import print_text as _print

app = typer.Typer(
    cls=OneLineErrors,
    help="Find photos by words, another photo, a segmentation map, edges, boxes, colours ...",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def index(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder of pictures, or of items of another kind (--as)."
        ),
    ],
    to: Annotated[Path, typer.Option(metavar="INDEX", help="Folder of the index.")],
    modality: Annotated[
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
        modality=modality,
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
@takes_sources(but=("text",))
def query(
    index: IndexFolder,
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="Words to find.")] = None,
    *,
    sources: Sources,
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
    modalities: Modalities = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with the query and the hits.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same as one contact sheet (PNG).")
    ] = None,
    show_query: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="First write what the model understands of the query."),
    ] = None,
    model: ModelName = None,
    teachers: TeacherWeights = None,
    text_encoder: TextEncoder = "clip",
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Find the pictures nearest to words, a picture, a segmentation map, or several together.

    All that is given goes into one forward pass of the model, unless it is weighed. `fourm models`
    lists what each model takes in: 4M-21 all that there is here, mini a part of it.
    """
    from retrieval import Gallery
    from retrieval.encoders import read_query_teachers
    from retrieval.gallery import check_k
    from retrieval.queries.query import input_files
    from retrieval.queries.query_files import read_with_file
    from retrieval.report import Results, write_page, write_sheet
    from retrieval.report.json_text import json_array
    from retrieval.report.outputs import check_apart, check_folder, check_output, keep_stored
    from retrieval.report.texts import hits_table, words_of
    from retrieval.scope import typed_spaces

    check_k(k)
    weights = typed_spaces(spaces or ())
    asked, given = read_with_file(query_file, {"text": text, **sources})
    inputs = (query_file, *input_files(given))
    for output in (html, sheet):
        check_output(output, inputs)
    check_folder(show_query, inputs)
    check_apart((html, sheet))
    asked_teachers = read_query_teachers(teachers or (), text_encoder)
    with Gallery.open(index, model, encoder=asked_teachers, device=device, dtype=dtype) as gallery:
        for output in (html, sheet, show_query):
            keep_stored(output, gallery.index)
        if show_query is not None:
            from retrieval.generation import show_query as show

            shown = show(gallery.model, asked, show_query, progress=sys.stderr.isatty())
            _note(f"wrote {show_query}: {len(shown)} files")
        (hits,) = gallery.search_batch(
            [asked], k, spaces=weights, fusion=fusion, modalities=modalities or None
        )
        if html is not None or sheet is not None:
            results = Results.of(gallery, asked, hits, modalities)
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
@takes_sources(but=("image", "use_only", "negative_text", "weights", "combine"))
def generate(
    photo: Annotated[
        Path | None, typer.Argument(metavar="PHOTO", help="Picture to generate from.")
    ] = None,
    *,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KINDS", help="What to generate, e.g. depth,normals,seg,text; all: everything."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write the files to.")],
    sources: Sources,
    hide: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BOX",
            help="Part of the picture to make up anew: xmin,ymin,xmax,ymax as fractions, "
            "e.g. 0.25,0.25,0.75,0.75. May be repeated.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Passes for each kind that is no text. Default: by kind.")
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(help="Of kinds that are no text: roar or maskgit. Default: by kind."),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Randomness; 0 takes the likeliest. Default: by kind.")
    ] = None,
    top_k: Annotated[
        float, typer.Option(help="Draw among so many tokens, or a share below 1; 0: all.")
    ] = 0,
    top_p: Annotated[
        float, typer.Option(help="Draw among the tokens that have so much probability; 0: all.")
    ] = 0.8,
    guidance: Annotated[
        float | None,
        typer.Option(
            help="How far away from what comes without inputs; 1: none. Default: by kind."
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=W",
            help="Guide by each input with a weight of its own, e.g. text=2; below 0: away from "
            "it. May be repeated.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    diffusion_steps: Annotated[
        int, typer.Option(help="Passes for pictures, depth, normals and edges out of tokens.")
    ] = 50,
    image_size: Annotated[
        int | None,
        typer.Option(help="Side of these in pixels, a multiple of 32. Default: 224."),
    ] = None,
    as_json: AsJson = False,
    model: Annotated[
        str, typer.Option(help="Model: a name that `fourm models` lists, a folder, or a hub name.")
    ] = "4M-21_B",
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Generate any kinds from any others: depth, normals, words, boxes, a picture ...

    Kinds are made one after another, in the order of --to; each sees the inputs and those before
    it. Words with [S_1], [S_2] ... in them are completed. What is finished when the command is
    stopped stays.
    """
    from fourm import DiffusionConfig, GenerationConfig
    from retrieval.generation import generate as generate_files
    from retrieval.generation.options import given_kinds, read_hidden, read_top_k, read_weights
    from retrieval.report.json_text import json_object

    sources = {**sources, "image": photo}
    made = generate_files(
        model,
        to or [],
        out,
        config=GenerationConfig(
            steps=steps,
            scheme=scheme,  # type: ignore[arg-type]  # checked there
            temperature=temperature,
            top_k=read_top_k(top_k),
            top_p=top_p,
            guidance=guidance,
            weights=read_weights(weight or [], given_kinds(sources)),
            seed=seed,
            diffusion=DiffusionConfig(diffusion_steps, image_size),
        ),
        hide=read_hidden(hide or []),
        device=device,
        dtype=dtype,
        progress=sys.stderr.isatty(),
        **sources,
    )
    _print(json_object(made.as_dict()) if as_json else made.table())
    if made.left_out:
        _note(
            f"left out: {', '.join(made.left_out)}, whose tokenizers are not on this disk; "
            f"`fourm models info {model}` says how to get them"
        )
    _note(f"wrote {out}")


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
    from fourm.modalities.seg import panoptic_classes
    from retrieval.report.json_text import json_array
    from retrieval.report.texts import class_facts, classes_table

    found = panoptic_classes()
    if as_json:
        _print(json_array(class_facts(entry) for entry in found))
    else:
        _print(classes_table(found, swatches=sys.stdout.isatty()))


app.add_typer(cli_models.app, name="models")


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
    modalities: Modalities = None,
    model: ModelName = None,
    teachers: TeacherWeights = None,
    text_encoder: TextEncoder = "clip",
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
    asked_teachers = read_query_teachers(teachers or (), text_encoder)
    with Gallery.open(index, model, encoder=asked_teachers, device=device, dtype=dtype) as gallery:
        result = evaluate(
            gallery,
            judged,
            batch_size=batch_size,
            progress=True,
            spaces=weights,
            fusion=fusion,
            modalities=modalities or None,
        )
    if result.missing:
        _note(missing_warning(result.missing))
    _print(json_object(result.as_dict()) if as_json else evaluation_table(result))


def main() -> None:
    """Run the command line."""
    run(app)


if __name__ == "__main__":
    main()
