"""Stage `export`: the parts that stay and the new ones as a model folder, small enough to ship.

The encoder, the embeddings of its inputs, and the tokenizers are those of the former folder, byte
by byte: photos keep their vectors in `dinov2-s14`, and old indexes can be searched and extended.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.hub.manifest import MANIFEST_FILE
from fourm.language.model import LanguageModel
from fourm.language.sentences import TOKENIZER
from fourm.training.export import (
    folder_size,
    quantised,
    replaced,
    save_tensors,
    stored_tensors,
    write_checkpoint,
    write_json,
)
from fourm.training.run import Run
from recipes.mini.architecture import IMAGE, SEG, TARGET, TEXT
from recipes.mini.texts import FOLDER

MOST_BYTES = 60_000_000
"""Allowed size, without the decoder."""

KINDS = {
    "image": IMAGE,
    "text": TEXT,
    "seg": SEG,
    "edges": "canny_edge@112",
    "boxes": "box_items",
    "palette": "palette_items",
    "metadata": "fact_items",
}
TOKENIZERS = {SEG: "tok_semseg", TARGET: "tok_dinov2_global"}
SUCCEEDS = ("5a267c6fd463c78964552c432d57bf9e0b22eef10a2279fc61c036e80104208e",)
"""Fingerprints of former folders whose vectors of photos in `dinov2-s14` are the same."""

TRANSFORM = "transform.safetensors"
ITEMS = ("boxes", "palette", "metadata")
REGISTER_HEADS = ("edges", *ITEMS)
"""Modalities whose heads in `dinov2-s14` are those of the former folder."""

MEANT_FOR_JOINT = (["text"], ["seg"], ["text", "seg"], ["edges"])
ITEMS_ALONE = (["boxes"], ["palette"], ["metadata"])
SPACE_FOR: tuple[dict[str, Any], ...] = (
    *({"inputs": inputs, "spaces": {"joint": 1.0}} for inputs in MEANT_FOR_JOINT),
    *(
        {"inputs": inputs, "spaces": {"joint": 1.0, "dinov2-s14": share}, "fusion": "scores"}
        for inputs, share in (*((one, 2.0) for one in ITEMS_ALONE), ("*", 0.4))
    ),
)
"""Inputs of a query -> the spaces that it is for."""


def write(run: Run, former: Path, out: Path, most_bytes: int = MOST_BYTES) -> int:
    """Write the model folder and return its size in bytes.

    Args:
        run: with stage `spaces` done.
        former: folder whose encoder, inputs and tokenizers are kept.
        out: folder that is replaced as a whole.
        most_bytes: allowed size.

    Raises:
        BadInput: it would be larger than `most_bytes`; nothing is changed then.
    """
    with replaced(out, most_bytes) as folder:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        _write_encoder(former / "model", folder / "model")
        for name in TOKENIZERS.values():
            shutil.copytree(former / name, folder / name)
        shutil.copyfile(former / TRANSFORM, folder / TRANSFORM)
        _write_language(run.folder / FOLDER, folder / "language_model")
        (folder / "heads").mkdir()
        for name in REGISTER_HEADS:
            shutil.copyfile(former_head(former, name), folder / head_file("dinov2-s14", name))
        readouts = read_json_object(run.path("readouts.json"))
        for space, entries in readouts.items():
            for modality in entries:
                name = f"{space}-{modality}"
                if run.has(f"heads/{name}"):
                    write_head(folder / head_file(space, modality), run.load(f"heads/{name}"))
        write_json(folder / MANIFEST_FILE, manifest(readouts))
        if (former / "README.md").is_file():
            shutil.copyfile(former / "README.md", folder / "README.md")
    return folder_size(out)


def head_file(space: str, modality: str) -> str:
    """Where a head lies in the model folder."""
    return f"heads/{space}-{modality}.safetensors"


def former_head(former: Path, modality: str) -> Path:
    """The head of a modality in `dinov2-s14`, in a folder of format 1 or 2."""
    entries = read_json_object(former / MANIFEST_FILE)["spaces"]["dinov2-s14"]["readouts"]
    entry: dict[str, str] = entries[modality]
    return former / (entry["head"] if "head" in entry else entry["transform"])


def write_head(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """A head, its matrices as int8."""
    small: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        small.update(quantised(name, tensor) if tensor.is_floating_point() else {name: tensor})
    save_tensors(path, small, {})


def manifest(readouts: Mapping[str, Any]) -> dict[str, Any]:
    """`bundle.json`."""
    return {
        "format": 2,
        "name": "mini",
        "title": "small model trained by this project; its encoder is DINOv2 ViT-S/14",
        "model": "model",
        "kinds": {name: kind for name, kind in KINDS.items() if name in readouts["joint"]},
        "tokenizers": TOKENIZERS,
        "language_models": {TEXT: "language_model"},
        "spaces": {
            "dinov2-s14": {
                "former_name": "dinov2",
                "title": "DINOv2 ViT-S/14 CLS embedding, half-whitened",
                "readouts": readouts["dinov2-s14"],
            },
            "joint": {
                "title": "photos, and what people say, draw and paint of them",
                "readouts": readouts["joint"],
            },
        },
        "space_for": list(SPACE_FOR),
        "succeeds": {"dinov2-s14": list(SUCCEEDS)},
    }


def _write_encoder(source: Path, out: Path) -> None:
    """The transformer without its decoder; what is stored stays byte by byte."""
    config = read_json_object(source / CONFIG)
    config |= {"domains_out": [], "decoder_depth": 0}
    inputs = set(config["domains_in"])
    config["modality_info"] = {k: v for k, v in config["modality_info"].items() if k in inputs}
    tensors, _ = stored_tensors(source / TENSORS)
    kept = {k: v for k, v in tensors.items() if not k.startswith(("decoder.", "decoder_embed"))}
    out.mkdir()
    save_tensors(out / TENSORS, kept, {key: str(value) for key, value in config.items()})
    write_json(out / CONFIG, config)


def _write_language(source: Path, out: Path) -> None:
    write_checkpoint(
        out, read_json_object(source / CONFIG), LanguageModel.load(source).state_dict()
    )
    shutil.copyfile(source / TOKENIZER, out / TOKENIZER)
