"""`python -m recipes.mini STAGE ...`: the stages in their order, or `all` of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fourm.errors import FourmError
from fourm.training.run import Run
from recipes.mini import export as exporting
from recipes.mini import queries as asking
from recipes.mini import spaces as fitting
from recipes.mini import texts as reading
from recipes.mini.add_outputs import add_outputs
from recipes.mini.features import extract, write_split
from recipes.mini.flickr8k_coco import Flickr8kCoco
from recipes.mini.generation import encode_contexts, teach
from recipes.mini.outputs import fit_output_tokenizers
from recipes.mini.pseudo_maps import predict
from recipes.mini.teacher import encoder_state, read_onnx

app = typer.Typer(
    help="Make mini from published weights and photos. Stages keep what earlier runs finished.",
    no_args_is_help=True,
    add_completion=False,
)

RunFolder = Annotated[Path, typer.Option("--run", help="Folder for intermediate results.")]
Data = Annotated[Path, typer.Option(help="Folder with flickr8k and the other data sets.")]
Language = Annotated[
    Path, typer.Option(help="Folder of MiniLM: config.json, model.safetensors, tokenizer.json.")
]
Teacher = Annotated[Path, typer.Option(help="ONNX file with the DINOv2 backbone.")]
Former = Annotated[
    Path, typer.Option(help="Model folder whose encoder, inputs and tokenizers are kept.")
]
Steps = Annotated[int, typer.Option(min=1, help="Optimiser steps.")]
Bundle = Annotated[Path, typer.Option(help="Model folder to extend.")]

RUN, DATA, MINI = Path("training-run"), Path("data"), Path("fourm/weights/mini")


@app.command()
def teacher(onnx: Teacher, run: RunFolder = RUN) -> None:
    """Convert DINOv2 ViT-S/14 to the model's encoder."""
    if not Run(run).has("teacher"):
        Run(run).save("teacher", encoder_state(read_onnx(onnx)))


@app.command()
def features(run: RunFolder = RUN, data: Data = DATA) -> None:
    """Encode all photos with the teacher, and fix which ones are trained on."""
    photos = Flickr8kCoco(data)
    extract(Run(run), photos)
    write_split(Run(run), photos)


@app.command("pseudo-maps")
def pseudo_maps(
    run: RunFolder = RUN,
    data: Data = DATA,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the probe.")] = 6,
) -> None:
    """Predict a label map for each captioned photo."""
    predict(Run(run), Flickr8kCoco(data), epochs)


@app.command()
def texts(
    language: Language, former: Former = MINI, run: RunFolder = RUN, data: Data = DATA
) -> None:
    """Prune the language model, and encode all texts."""
    photos = Flickr8kCoco(data)
    reading.prune(Run(run), photos, language, former)
    reading.encode(Run(run), photos)


@app.command()
def queries(former: Former = MINI, run: RunFolder = RUN, data: Data = DATA) -> None:
    """Encode drawings, maps, boxes, palettes and metadata of photos."""
    asking.encode(Run(run), Flickr8kCoco(data), former)


@app.command()
def spaces(former: Former = MINI, run: RunFolder = RUN, data: Data = DATA) -> None:
    """Fit the heads of both spaces."""
    fitting.fit(Run(run), Flickr8kCoco(data), former)


@app.command()
def export(
    former: Former = MINI,
    out: Annotated[Path, typer.Option(help="Model folder to write.")] = MINI,
    run: RunFolder = RUN,
) -> None:
    """Write the model folder."""
    size = exporting.write(Run(run), former, out)
    typer.echo(f"{out}: {size / 1e6:.1f} MB")


@app.command("output-tokens")
def output_tokens(
    language: Language, run: RunFolder = RUN, data: Data = DATA, steps: Steps = 500
) -> None:
    """Fit the tokenizers of outputs, and make the tokens that are to be predicted."""
    fit_output_tokenizers(Run(run), Flickr8kCoco(data), language, steps)


@app.command()
def contexts(bundle: Bundle = MINI, run: RunFolder = RUN, data: Data = DATA) -> None:
    """Encode the inputs from which outputs are predicted."""
    encode_contexts(Run(run), Flickr8kCoco(data), bundle)


@app.command()
def decoder(
    language: Language, run: RunFolder = RUN, data: Data = DATA, steps: Steps = 1200
) -> None:
    """Train the decoder to predict maps, texts, boxes, colours, metadata and edges."""
    teach(Run(run), Flickr8kCoco(data), language, steps)


@app.command("add-outputs")
def outputs(bundle: Bundle = MINI, run: RunFolder = RUN) -> None:
    """Add the decoder and its tokenizers to the model folder."""
    size = add_outputs(Run(run), bundle)
    typer.echo(f"{bundle}: {size / 1e6:.1f} MB")


@app.command("all")
def every_stage(
    onnx: Teacher,
    language: Language,
    former: Former = MINI,
    out: Annotated[Path, typer.Option(help="Model folder to write.")] = MINI,
    run: RunFolder = RUN,
    data: Data = DATA,
) -> None:
    """Run all stages in order. Started again, it resumes where it stopped."""
    teacher(onnx, run)
    features(run, data)
    pseudo_maps(run, data)
    texts(language, former, run, data)
    queries(former, run, data)
    spaces(former, run, data)
    export(former, out, run)
    output_tokens(language, run, data)
    contexts(out, run, data)
    decoder(language, run, data)
    outputs(out, run)


if __name__ == "__main__":
    try:
        app()
    except FourmError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from None
