"""Stage `add`: what stage `further` learnt, put into a bundle; what was there stays, byte by byte.

Only the vocabulary of the language model shrinks to make room: the rarest words that no caption
has go first.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import Tensor

from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.errors import BadInput
from fourm.hub.manifest import BUNDLE
from fourm.language.sentences import TOKENIZER
from fourm.training import material
from fourm.training.export import MOST_BYTES, part_of, save, size_of, stored, whole
from fourm.training.further import KINDS, modality_info
from fourm.training.run import Run
from fourm.training.vocabulary import frequent, pruned

WEIGHTS = {"edges": 1.25, "boxes": 0.7, "palette": 0.4, "metadata": 0.3}
"""How a kind counts beside what is predicted from words and maps, which counts 1."""


def add(run: Run, bundle: Path, vocabulary: int) -> int:
    """Add the kinds to a bundle and return its size in bytes; it changes as a whole or not at all.

    Args:
        run: with stage `further` done.
        bundle: folder.
        vocabulary: entries of the language model that stay, besides special ones.

    Raises:
        BadInput: the bundle would be larger than MOST_BYTES.
    """
    with whole(bundle) as grown:
        _grow(run, grown, vocabulary)
        size = size_of(grown)
        if size > MOST_BYTES:
            raise BadInput(
                f"{bundle} would have {size} bytes, more than {MOST_BYTES}: lower the vocabulary"
            )
    return size


def _grow(run: Run, bundle: Path, vocabulary: int) -> None:
    manifest = read_json_object(bundle / BUNDLE)
    model = bundle / manifest["model"]
    learnt = {kind: run.load(f"further/{name}") for kind, name in KINDS.items()}
    config = read_json_object(model / CONFIG)
    added = [name for name in KINDS.values() if name not in config["domains_in"]]
    config["domains_in"] += added
    config["modality_info"] |= modality_info()
    tensors, metadata = raw(model / TENSORS)
    space = next(iter(manifest["spaces"].values()))
    for kind, name in KINDS.items():
        for key, tensor in part_of(learnt[kind], "embedding.").items():
            tensors.update(stored(f"encoder_embeddings.{name}.{key}", tensor))
        file = f"readout_{kind}.safetensors"
        readout = part_of(learnt[kind], "readout.")
        small = {key: value for n, t in readout.items() for key, value in stored(n, t).items()}
        save(bundle / file, small, {})
        manifest["kinds"][kind] = name
        space.setdefault("readouts", {})[kind] = {"transform": file, "weight": WEIGHTS[kind]}
    metadata |= {key: str(value) for key, value in config.items()}
    save(model / TENSORS, tensors, metadata)
    _write(model / CONFIG, config)
    _shrink(run, bundle / next(iter(manifest["language_models"].values())), vocabulary)
    _write(bundle / BUNDLE, manifest)


def _shrink(run: Run, folder: Path, vocabulary: int) -> None:
    texts = [text for photo in material.captioned(run.data) for text in photo.captions]
    keep = frequent(folder / TOKENIZER, texts, vocabulary)
    words = json.loads((folder / TOKENIZER).read_text(encoding="utf-8"))
    small, old_ids = pruned(words, keep)
    tensors, metadata = raw(folder / TENSORS)
    table = "embeddings.word_embeddings.weight"
    for name in (table, f"{table}.scale"):
        tensors[name] = tensors[name][old_ids].contiguous()
    config = read_json_object(folder / CONFIG) | {"vocab_size": len(old_ids)}
    metadata |= {"vocab_size": str(len(old_ids))}
    save(folder / TENSORS, tensors, metadata)
    _write(folder / CONFIG, config)
    text = json.dumps(small, ensure_ascii=False, separators=(",", ":"))
    (folder / TOKENIZER).write_text(text + "\n", encoding="utf-8")


def raw(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors as they are stored, and the header's metadata."""
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
