"""`fourm generate`: any modalities from any others; a part of `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import retrieval
from cli_options import AsJson, Device, Dtype, Inputs, accepts_inputs, read_name, read_path
from cli_output import json_object, note, print_text
from cli_tables import table

if TYPE_CHECKING:
    from retrieval import Generation


def _top_k(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1 << 31 or (number > 1 and number != int(number)):
        raise typer.BadParameter(f"must be an integer >= 0 or a fraction < 1, got {text}")
    return int(number) if number >= 1 or number == 0 else number


Photo = Annotated[
    Path | None,
    typer.Argument(parser=read_path, metavar="PHOTO", help="Image to generate from."),
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="MODALITIES",
        help="Modalities to generate, e.g. seg,text,boxes, or all.",
        rich_help_panel="Output",
    ),
]
OutputFolder = Annotated[
    Path,
    typer.Option(parser=read_path, metavar="DIR", help="Output folder.", rich_help_panel="Output"),
]
Inpaint = Annotated[
    list[str] | None,
    typer.Option(
        metavar="BOX",
        help="Region of the image to regenerate: xmin,ymin,xmax,ymax as fractions, e.g. "
        "0.25,0.25,0.75,0.75. May be repeated.",
        rich_help_panel="Inputs",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Decoding steps per image-like modality. Default: by modality.",
        rich_help_panel="Sampling",
    ),
]
Scheme = Annotated[
    Literal["roar", "maskgit"] | None,
    typer.Option(
        help="Decoding scheme of image-like modalities: roar (random order) or maskgit (most "
        "confident tokens first). Default: by modality.",
        rich_help_panel="Sampling",
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        metavar="T",
        help="Sampling temperature; 0 is greedy decoding. Default: by modality.",
        rich_help_panel="Sampling",
    ),
]
TopK = Annotated[
    float,
    typer.Option(
        parser=_top_k,
        metavar="K",
        help="Top-k sampling: number of tokens, or a fraction of the vocabulary; 0 disables it.",
        rich_help_panel="Sampling",
    ),
]
TopP = Annotated[
    float,
    typer.Option(
        metavar="P",
        help="Nucleus sampling: cumulative probability of the tokens; 0 disables it.",
        rich_help_panel="Sampling",
    ),
]
Guidance = Annotated[
    float | None,
    typer.Option(
        metavar="SCALE",
        help="Classifier-free guidance scale; 1 disables it. Default: by modality.",
        rich_help_panel="Sampling",
    ),
]
GuidanceWeights = Annotated[
    list[str] | None,
    typer.Option(
        "--weight",
        metavar="INPUT=NUMBER",
        help="Guidance weight of an input, e.g. text=2; negative to steer away from it. May be "
        "repeated.",
        rich_help_panel="Sampling",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Random seed.", rich_help_panel="Sampling")]
DiffusionSteps = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Denoising steps of the diffusion decoders (image, depth, normals, edges).",
        rich_help_panel="Sampling",
    ),
]
ImageSize = Annotated[
    int | None,
    typer.Option(
        metavar="PIXELS",
        help="Side of generated images, a multiple of 32. Default: 224.",
        rich_help_panel="Output",
    ),
]
Generator = Annotated[
    str,
    typer.Option(
        parser=read_name,
        metavar="NAME",
        help="Name listed by `fourm models`, folder, or hub name.",
        rich_help_panel="Model",
    ),
]


@accepts_inputs(but=("image", "use_only", "negative_text", "weights", "combine"), panel="Inputs")
def generate(
    photo: Photo = None,
    *,
    to: Outputs = None,
    out: OutputFolder,
    inputs: Inputs,
    inpaint: Inpaint = None,
    steps: Steps = None,
    scheme: Scheme = None,
    temperature: Temperature = None,
    top_k: TopK = 0,
    top_p: TopP = 0.8,
    guidance: Guidance = None,
    weight: GuidanceWeights = None,
    seed: Seed = 0,
    diffusion_steps: DiffusionSteps = 50,
    image_size: ImageSize = None,
    as_json: AsJson = False,
    model: Generator = "mini",
    device: Device = "auto",
    dtype: Dtype = "auto",
) -> None:
    """Generate any modalities from any others with a 4M-21 model: depth, normals, text, images ...

    Modalities are generated one after another, in the order of --to; each is conditioned on the
    inputs and on those before it. A text with [S_1], [S_2] ... is infilled. Finished outputs are
    kept if the command is interrupted.
    """
    config = retrieval.GenerationConfig(
        steps=steps,
        scheme=scheme,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        guidance=guidance,
        seed=seed,
        diffusion=retrieval.DiffusionConfig(diffusion_steps, image_size),
    )
    made = retrieval.generate(
        model,
        to or (),
        out,
        config=config,
        weights=weight,
        inpaint=inpaint or (),
        device=device,
        dtype=dtype,
        progress=sys.stderr.isatty(),
        image=photo,
        **inputs,
    )
    for said in (*made.query.notes, *made.warnings):
        note(said)
    print_text(json_object(made.as_dict()) if as_json else generation_table(made))
    if made.left_out:
        note(left_out(made.left_out, model))
    note(f"wrote {out}")


def generation_table(made: Generation) -> str:
    """What was generated, and its files."""
    rows = ((modality, ", ".join(files), what) for modality, files, what in made.summary())
    return table(rows, ("modality", "files", "content"))


def left_out(modalities: Sequence[str], model: str) -> str:
    """What `--to all` did not generate, and how to get it."""
    return (
        f"not generated: {', '.join(modalities)}; their tokenizers are not on this disk, see "
        f"`fourm models info {model}`"
    )
