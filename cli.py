"""The `fourm` command: reads arguments, calls `retrieval`, prints the results.

`retrieval` imports what takes time when it is first used, so that `fourm --help` answers at once.
"""

from __future__ import annotations

import typer

import cli_generate
import cli_models
import retrieval
from cli_errors import OneLineErrors, run
from cli_options import (
    AllowTruncated,
    AsJson,
    BatchSize,
    CheckContent,
    ClipPixels,
    Count,
    Cut,
    DepthNear,
    Device,
    Dtype,
    Encoder,
    Exclude,
    Fusion,
    GalleryFolder,
    IndexFolder,
    Inputs,
    ItemModality,
    JsonFormat,
    JudgedQueries,
    LeftOutFiles,
    MaxPixels,
    MinScore,
    Modalities,
    ModelName,
    Moved,
    NewIndex,
    NewSpaces,
    NulPaths,
    Offset,
    OutputFormat,
    PageFile,
    Prune,
    QueryFile,
    Retry,
    SegFormat,
    SheetFile,
    ShowQuery,
    SkippedFiles,
    Spaces,
    TeacherWeights,
    Text,
    TextEncoder,
    Version,
    Where,
    Workers,
    accepts_inputs,
)
from cli_output import (
    chosen_format,
    json_array,
    json_object,
    note,
    on_terminal,
    print_hits,
    print_text,
)
from cli_tables import (
    away_warning,
    build_summary,
    class_entry,
    classes_table,
    evaluation_table,
    hits_table,
    index_text,
    missing_warning,
    skipped_table,
)
from cli_text import typed_text

app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def fourm(version: Version = False) -> None:
    """Search images by text, image, segmentation map, edges, boxes, colours and more."""


@app.command()
def index(
    folder: GalleryFolder,
    to: NewIndex,
    modality: ItemModality = "image",
    depth_near: DepthNear = None,
    seg_format: SegFormat = None,
    spaces: NewSpaces = None,
    retry: Retry = False,
    max_pixels: MaxPixels = None,
    allow_truncated: AllowTruncated = False,
    check_content: CheckContent = False,
    exclude: Exclude = None,
    moved: Moved = False,
    prune: Prune = False,
    model: ModelName = None,
    encoder: Encoder = None,
    teachers: TeacherWeights = None,
    clip_pixels: ClipPixels = None,
    device: Device = "auto",
    dtype: Dtype = "auto",
    batch_size: BatchSize = 32,
    workers: Workers = None,
) -> None:
    """Index a folder of images or of another modality, or bring its index up to date.

    New and changed files are added, deleted ones removed, moved ones recognised. Files that cannot
    be read are skipped and listed by `fourm info --skipped`. An interrupted run continues when the
    same command is run again.
    """
    with retrieval.Gallery.build(
        folder,
        to,
        model,
        encoder=retrieval.read_encoder(encoder, teachers or (), clip_pixels=clip_pixels),
        modality=modality,
        depth_near=depth_near,
        seg_format=seg_format,
        spaces=spaces or None,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        workers=workers,
        retry=retry,
        max_pixels=max_pixels,
        allow_truncated=allow_truncated,
        check_content=check_content,
        exclude=exclude or None,
        moved=moved,
        prune=prune,
        progress=True,
    ) as gallery:
        if gallery.report is not None:
            for said in gallery.report.notes:
                note(said)
            print_text(build_summary(gallery.report, str(to)))
            if gallery.report.missing:
                note(away_warning(gallery.report))


@app.command(context_settings={"allow_extra_args": True})
@accepts_inputs(but=("text",))
def query(
    context: typer.Context,
    index: IndexFolder,
    text: Text = None,
    *,
    inputs: Inputs,
    query_file: QueryFile = None,
    k: Count = 10,
    spaces: Spaces = None,
    fusion: Fusion = None,
    modalities: Modalities = None,
    where: Where = None,
    offset: Offset = 0,
    min_score: MinScore = None,
    cut: Cut = None,
    format: OutputFormat = None,
    as_json: JsonFormat = False,
    print0: NulPaths = False,
    html: PageFile = None,
    sheet: SheetFile = None,
    show_query: ShowQuery = None,
    model: ModelName = None,
    teachers: TeacherWeights = None,
    text_encoder: TextEncoder = "clip",
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Find the items nearest to a text, an image, a segmentation map, or several inputs together.

    All inputs are embedded together, unless they are weighted. Models differ in the modalities that
    they accept: `fourm models` lists them.
    """
    output = chosen_format(format, as_json, print0)
    asked = retrieval.read_query(query_file, text=typed_text(text, context.args), **inputs)
    files = retrieval.ResultFiles(html, sheet, show_query)
    for said in asked.notes:
        note(said)
    encoder = retrieval.read_encoder(teachers=teachers or (), text_encoder=text_encoder)
    with retrieval.Gallery.open(index, model, encoder=encoder, device=device, dtype=dtype) as found:
        files.check(found, asked)
        (hits,) = found.search_batch(
            [asked],
            k,
            spaces=spaces or None,
            fusion=fusion,
            modalities=modalities or None,
            where=where,
            offset=offset,
            min_score=min_score,
            cut=cut,
        )
        for warning in found.warnings(asked, spaces or None, modalities or None):
            note(warning)
        written = files.write(found, asked, hits, modalities or None)
        print_hits(found, hits, output, print0, table=lambda: hits_table(found, hits))
    for name in written:
        note(f"wrote {name}")


app.command()(cli_generate.generate)


@app.command()
def info(
    index: IndexFolder,
    skipped: SkippedFiles = False,
    left_out: LeftOutFiles = False,
    where: Where = None,
    as_json: AsJson = False,
) -> None:
    """Show what an index holds, and which model made it."""
    if sum((skipped, left_out, where is not None)) > 1:
        raise retrieval.UsageError("choose one of --skipped, --left-out and --where")
    with retrieval.Gallery.open(index) as gallery:
        if skipped or left_out:
            files = gallery.left_out() if left_out else gallery.skipped()
            entries = (item.as_dict() for item in files)
            nothing = "nothing is left out" if left_out else "nothing was skipped"
            print_text(json_array(entries) if as_json else skipped_table(files, nothing))
        elif where is not None:
            count, items = gallery.count(where), gallery.count()
            counted = {"where": where, "count": count, "items": items}
            print_text(json_object(counted) if as_json else f"{count} of {items} items")
        else:
            about = gallery.describe()
            print_text(json_object(about) if as_json else index_text(about))


@app.command()
def classes(as_json: AsJson = False) -> None:
    """List the classes of segmentation maps: COCO panoptic ids, names and colours."""
    found = retrieval.list_classes()
    if as_json:
        print_text(json_array(map(class_entry, found)))
    else:
        print_text(classes_table(found, swatches=on_terminal()))


app.add_typer(cli_models.app, name="models")


@app.command(name="eval")
def evaluate(
    index: IndexFolder,
    queries: JudgedQueries,
    as_json: AsJson = False,
    batch_size: BatchSize = 32,
    spaces: Spaces = None,
    fusion: Fusion = None,
    modalities: Modalities = None,
    where: Where = None,
    model: ModelName = None,
    teachers: TeacherWeights = None,
    text_encoder: TextEncoder = "clip",
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Evaluate an index on judged queries: recall@1/5/10, precision, median rank, MAP."""
    judged = retrieval.read_queries(queries)
    encoder = retrieval.read_encoder(teachers=teachers or (), text_encoder=text_encoder)
    with retrieval.Gallery.open(index, model, encoder=encoder, device=device, dtype=dtype) as found:
        result = retrieval.evaluate(
            found,
            judged,
            batch_size=batch_size,
            spaces=spaces or None,
            fusion=fusion,
            modalities=modalities or None,
            where=where,
            progress=True,
        )
    for warning in result.warnings:
        note(warning)
    if result.missing:
        note(missing_warning(result.missing))
    print_text(json_object(result.as_dict()) if as_json else evaluation_table(result))


def main() -> None:
    """Run the command line."""
    run(app)


if __name__ == "__main__":
    main()
