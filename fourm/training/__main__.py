"""`python -m fourm.training STAGE ...`: the stages in their order, or `all` of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fourm.errors import FourmError

app = typer.Typer(
    help="Make mini from published weights and photos; every stage keeps what it finished.",
    no_args_is_help=True,
    add_completion=False,
)

RunFolder = Annotated[Path, typer.Option("--run", help="Folder for what the stages hand on.")]
Data = Annotated[Path, typer.Option(help="Folder with flickr8k, coco_panoptic, ccp, camvid.")]
Language = Annotated[
    Path, typer.Option(help="Folder of MiniLM: config.json, model.safetensors, tokenizer.json.")
]
Teacher = Annotated[Path, typer.Option(help="ONNX file that holds the DINOv2 backbone.")]
Steps = Annotated[int, typer.Option(min=1, help="Optimiser steps.")]

RUN, DATA = Path("training-run"), Path("data")


@app.command()
def teacher(onnx: Teacher, run: RunFolder = RUN) -> None:
    """DINOv2 ViT-S/14 as the model's encoder."""
    from fourm.training import teacher as stage
    from fourm.training.run import Run

    Run(run, DATA).save("teacher", stage.encoder_state(stage.read_onnx(onnx)))


@app.command()
def features(run: RunFolder = RUN, data: Data = DATA) -> None:
    """What the teacher sees in every photo, and which photos are for training."""
    from fourm.training import features as stage
    from fourm.training import split
    from fourm.training.run import Run

    stage.extract(Run(run, data))
    split.fix(Run(run, data))


@app.command()
def space(run: RunFolder = RUN, data: Data = DATA) -> None:
    """The retrieval transform, and the tokenizer of global embeddings."""
    from fourm.training import space as stage
    from fourm.training.run import Run

    stage.fit(Run(run, data))


@app.command("pseudo-maps")
def pseudo_maps(
    run: RunFolder = RUN,
    data: Data = DATA,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the probe.")] = 6,
) -> None:
    """A label map for every captioned photo."""
    from fourm.training import pseudo_maps as stage
    from fourm.training.run import Run

    stage.draw(Run(run, data), epochs)


@app.command("seg-tokenizer")
def seg_tokenizer(
    language: Language, run: RunFolder = RUN, data: Data = DATA, steps: Steps = 400
) -> None:
    """The tokenizer of segmentation maps."""
    from fourm.training import seg_tokenizer as stage
    from fourm.training.run import Run

    stage.fit(Run(run, data), language, steps)


@app.command()
def joint(language: Language, run: RunFolder = RUN, data: Data = DATA, steps: Steps = 1650) -> None:
    """Words, maps and half-hidden photos learn to name their photo."""
    from fourm.training import joint as stage
    from fourm.training.run import Run

    stage.train(Run(run, data), language, steps)


@app.command()
def export(
    language: Language,
    out: Annotated[Path, typer.Option(help="Folder of the bundle.")] = Path("fourm/weights/mini"),
    run: RunFolder = RUN,
    data: Data = DATA,
) -> None:
    """The bundle that ships."""
    from fourm.training import export as stage
    from fourm.training.run import Run

    size = stage.write(Run(run, data), language, out)
    typer.echo(f"{out}: {size / 1e6:.1f} MB")


Bundle = Annotated[Path, typer.Option(help="Folder of the bundle that learns more.")]


@app.command()
def further(
    bundle: Bundle = Path("fourm/weights/mini"),
    run: RunFolder = RUN,
    data: Data = DATA,
    steps: Steps = 500,
) -> None:
    """Edges, boxes, palettes and facts learn to name their photo; the rest stays as it is."""
    from fourm.training import further as stage
    from fourm.training.run import Run

    stage.learn(Run(run, data), bundle, steps)


@app.command()
def add(
    bundle: Bundle = Path("fourm/weights/mini"),
    run: RunFolder = RUN,
    data: Data = DATA,
    vocabulary: Annotated[int, typer.Option(min=1, help="Words that stay.")] = 8_000,
) -> None:
    """What `further` learnt goes into the bundle."""
    from fourm.training import adding as stage
    from fourm.training.run import Run

    size = stage.add(Run(run, data), bundle, vocabulary)
    typer.echo(f"{bundle}: {size / 1e6:.1f} MB")


@app.command("all")
def every_stage(onnx: Teacher, language: Language, run: RunFolder = RUN, data: Data = DATA) -> None:
    """All stages, one after the other; started again, it goes on where it stopped."""
    teacher(onnx, run)
    features(run, data)
    space(run, data)
    pseudo_maps(run, data)
    seg_tokenizer(language, run, data)
    joint(language, run, data)
    export(language, run=run, data=data)
    further(run=run, data=data)
    add(run=run, data=data)


if __name__ == "__main__":
    try:
        app()
    except FourmError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from None
