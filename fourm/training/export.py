"""Stage `export`: the trained parts as a bundle of official-format folders, small enough to ship.

Matrices become int8 with one float a row, positions and codebooks half precision; what is one-
dimensional stays as it is. The reader expands them again (`fourm.checkpoints.TensorFile`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from fourm.checkpoints.files import read_json_object
from fourm.errors import BadInput
from fourm.language.model import LanguageModel
from fourm.language.sentences import TOKENIZER
from fourm.training import material
from fourm.training.architecture import IMAGE, MAX_WORDS, SEG, TARGET, TEXT, config_for
from fourm.training.initial import start
from fourm.training.run import Run
from fourm.training.seg_tokenizer import CONFIG as SEG_CONFIG
from fourm.training.space import tokenizer as global_tokenizer
from fourm.training.vocabulary import frequent, pruned

MOST_BYTES = 48_000_000
VOCABULARY = 10_800
SMALLEST_MATRIX = 4096
PRECISE = ("encoder.linear_in.", "decoder.linear_out.", "quantize.", "pos_emb", "register_tokens")
"""Names of tensors that rows of int8 would hurt, for their size: kept in half precision."""

BUNDLE: dict[str, Any] = {
    "format": 1,
    "name": "mini",
    "title": "small model trained by this project; its teacher is DINOv2 ViT-S/14",
    "model": "model",
    "kinds": {"image": IMAGE, "text": TEXT, "seg": SEG},
    "tokenizers": {SEG: "tok_semseg", TARGET: "tok_dinov2_global"},
    "language_models": {TEXT: "language_model"},
    "spaces": {
        "dinov2": {
            "modality": TARGET,
            "decode": "soft",
            "image_readout": "register",
            "image_share": 0.5,
            "transform": "transform.safetensors",
            "title": "DINOv2 ViT-S/14 CLS embedding, half-whitened",
        }
    },
}


def write(run: Run, language: Path, out: Path, step: str = "joint") -> int:
    """Write the bundle to `out` and return its size in bytes; other files there stay.

    Raises:
        BadInput: it would be larger than MOST_BYTES; nothing is changed then.
    """
    with whole(out) as folder:
        _write(run, language, folder, step)
        size = size_of(folder)
        if size > MOST_BYTES:
            raise BadInput(
                f"{out} would have {size} bytes, more than {MOST_BYTES}: lower VOCABULARY"
            )
    return size


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A copy of a folder that takes its place at the end: it changes as a whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        changed = Path(scratch) / folder.name
        if folder.exists():
            shutil.copytree(folder, changed)
        yield changed
        if folder.exists():
            folder.rename(Path(scratch) / "before")
        changed.rename(folder)


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _write(run: Run, language: Path, out: Path, step: str) -> None:
    teacher, space = run.load("teacher"), run.load("space")
    trained = run.load(step)
    config = config_for(teacher)
    model = start(config, teacher, space["codes"], seed=0)
    model.load_state_dict(part_of(trained, "model."), strict=False)
    state = model.state_dict()
    # Tied in the official format: the decoder never reads its own token table here.
    state.pop(f"decoder_embeddings.{TARGET}.token_emb.weight")
    write_part(out / "model", config, state)
    write_part(out / "tok_dinov2_global", *global_tokenizer(space))
    write_part(out / "tok_semseg", SEG_CONFIG, run.load("tok_semseg"))
    _write_language(run, language, part_of(trained, "language."), out / "language_model")
    transform = {"mean": space["mean"], "matrix": space["matrix"]}
    save(out / "transform.safetensors", transform, {})
    (out / "bundle.json").write_text(json.dumps(BUNDLE, indent=2) + "\n", encoding="utf-8")


def write_part(folder: Path, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """One checkpoint folder, its tensors stored small."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tensors: dict[str, Tensor] = {}
    for name, tensor in state.items():
        tensors.update(stored(name, tensor.detach().float()))
    metadata = {key: str(value) for key, value in config.items()}
    save(folder / "model.safetensors", tensors, metadata)


def save(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """A safetensors file that everybody may read."""
    save_file(dict(tensors), str(path), metadata)
    path.chmod(0o644)  # the library leaves it readable by its owner alone


def stored(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """One tensor as it goes into the file."""
    if tensor.dim() < 2 or tensor.numel() < SMALLEST_MATRIX:
        return {name: tensor.clone().contiguous()}
    if any(part in name for part in PRECISE):
        return {name: tensor.half().contiguous()}
    rows = tensor.flatten(1)
    scale = rows.abs().amax(1).clamp_min(1e-12) / 127
    small = (rows / scale[:, None]).round().to(torch.int8)
    return {name: small.view(tensor.shape).contiguous(), f"{name}.scale": scale}


def _write_language(run: Run, source: Path, trained: dict[str, Tensor], out: Path) -> None:
    """The language model with a pruned vocabulary, and no more positions than are ever used."""
    texts = [text for photo in material.captioned(run.data) for text in photo.captions]
    keep = frequent(source / TOKENIZER, texts, VOCABULARY)
    words = json.loads((source / TOKENIZER).read_text(encoding="utf-8"))
    small, old_ids = pruned(words, keep)
    state = {**LanguageModel.load(source).state_dict(), **trained}
    table = "embeddings.word_embeddings.weight"
    state[table] = state[table][old_ids]
    places = "embeddings.position_embeddings.weight"
    state[places] = state[places][:MAX_WORDS]
    config = read_json_object(source / "config.json")
    config = {key: value for key, value in config.items() if not key.startswith("_")}
    config |= {"vocab_size": len(old_ids), "max_position_embeddings": MAX_WORDS}
    write_part(out, config, state)
    text = json.dumps(small, ensure_ascii=False, separators=(",", ":"))
    (out / TOKENIZER).write_text(text + "\n", encoding="utf-8")


def part_of(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
