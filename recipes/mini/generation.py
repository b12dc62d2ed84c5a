"""The stages that teach mini to generate, on a model folder that reads all of its inputs.

`output-tokens` makes the tokens, `contexts` encodes inputs, `decoder` trains, `add-outputs` writes.
"""

from __future__ import annotations

from pathlib import Path

from fourm import load_4m
from fourm.training.run import Run
from recipes.mini.architecture import IMAGE
from recipes.mini.contexts import Contexts, encode_inputs
from recipes.mini.data import TrainingData
from recipes.mini.decoder import (
    Examples,
    blurs_of,
    build_decoder,
    saved_words,
    train_decoder,
    word_vectors,
)


def encode_contexts(run: Run, data: TrainingData, bundle: Path) -> None:
    """Write `contexts/<modality>` of the inputs that the model folder reads."""
    encode_inputs(run, data, load_4m(bundle))


def teach(run: Run, data: TrainingData, language: Path, steps: int, seed: int = 0) -> None:
    """Write `decoder`, unless it exists."""
    if run.has("decoder"):
        return
    words = saved_words(run)
    teacher = run.load("teacher")
    model = build_decoder(run, teacher, words, word_vectors(language, words), seed)
    prefix = f"encoder_embeddings.{IMAGE}."
    places = (teacher[f"{prefix}pos_emb"] + teacher[f"{prefix}mod_emb"])[0]
    sets = ["captioned", *(one.name for one in data.labelled if one.complete)]
    contexts = Contexts(run, sets, places, mixed=True)
    examples = Examples(run, data)
    train_decoder(run, examples, contexts, model, blurs_of(words), steps, seed)
