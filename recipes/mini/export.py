"""Stage `export`: the trained parts as a model folder, small enough to ship."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from fourm.checkpoints.files import CONFIG, read_json_object
from fourm.hub.manifest import MANIFEST_FILE
from fourm.language.model import LanguageModel
from fourm.language.sentences import TOKENIZER
from fourm.training.export import (
    folder_size,
    replaced,
    save_tensors,
    without_prefix,
    write_checkpoint,
    write_json,
)
from fourm.training.run import Run
from fourm.training.space import WhitenedSpace
from fourm.training.vocabulary import WORD_TABLE, pruned_tokenizer, write_tokenizer
from recipes.mini.architecture import IMAGE, MAX_WORDS, SEG, SEG_CONFIG, TARGET, TEXT, config_for
from recipes.mini.data import TrainingData
from recipes.mini.initial import start

MOST_BYTES = 48_000_000
VOCABULARY = 10_800

MANIFEST: dict[str, Any] = {
    "format": 1,
    "name": "mini",
    "title": "small model trained by this project; its teacher is DINOv2 ViT-S/14",
    "model": "model",
    "kinds": {"image": IMAGE, "text": TEXT, "seg": SEG},
    "tokenizers": {SEG: "tok_semseg", TARGET: "tok_dinov2_global"},
    "language_models": {TEXT: "language_model"},
    "spaces": {
        "dinov2-s14": {
            "former_name": "dinov2",
            "modality": TARGET,
            "decode": "soft",
            "image_readout": "register",
            "image_share": 0.5,
            "transform": "transform.safetensors",
            "title": "DINOv2 ViT-S/14 CLS embedding, half-whitened",
        }
    },
}


def write(
    run: Run, data: TrainingData, language: Path, out: Path, most_bytes: int = MOST_BYTES
) -> int:
    """Write the model folder and return its size in bytes; other files in it stay.

    Raises:
        BadInput: it would be larger than `most_bytes`; nothing is changed then.
    """
    with replaced(out, most_bytes) as folder:
        _write(run, data, language, folder)
    return folder_size(out)


def _write(run: Run, data: TrainingData, language: Path, out: Path) -> None:
    teacher, trained = run.load("teacher"), run.load("joint")
    space = WhitenedSpace.from_tensors(run.load("space"))
    config = config_for(teacher)
    model = start(config, teacher, space.codes, seed=0)
    model.load_state_dict(without_prefix(trained, "model."), strict=False)
    state = model.state_dict()
    # Tied in the official format: the decoder never reads its own token table here.
    state.pop(f"decoder_embeddings.{TARGET}.token_emb.weight")
    write_checkpoint(out / "model", config, state)
    write_checkpoint(out / "tok_dinov2_global", *space.tokenizer())
    write_checkpoint(out / "tok_semseg", SEG_CONFIG, run.load("tok_semseg"))
    trained_language = without_prefix(trained, "language.")
    _write_language(data, language, trained_language, out / "language_model")
    transform = {"mean": space.mean, "matrix": space.matrix}
    save_tensors(out / "transform.safetensors", transform, {})
    write_json(out / MANIFEST_FILE, MANIFEST)


def _write_language(
    data: TrainingData, source: Path, trained: Mapping[str, Tensor], out: Path
) -> None:
    """The language model with a pruned vocabulary, and with no more positions than are used."""
    texts = (text for photo in data.captioned for text in photo.captions)
    tokenizer, old_ids = pruned_tokenizer(source / TOKENIZER, texts, VOCABULARY)
    state = {**LanguageModel.load(source).state_dict(), **trained}
    state[WORD_TABLE] = state[WORD_TABLE][old_ids]
    positions = "embeddings.position_embeddings.weight"
    state[positions] = state[positions][:MAX_WORDS]
    config = read_json_object(source / CONFIG)
    config = {key: value for key, value in config.items() if not key.startswith("_")}
    config |= {"vocab_size": len(old_ids), "max_position_embeddings": MAX_WORDS}
    write_checkpoint(out, config, state)
    write_tokenizer(out / TOKENIZER, tokenizer)
