"""A data folder, a teacher and a language model small enough to run every stage in seconds."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from fourm.checkpoints import Fields
from fourm.hub.names import bundled
from fourm.modalities.boxes import BOXES_WIDTH
from fourm.modalities.metadata import METADATA_WIDTH
from fourm.modalities.palette import MOST_COLOURS, PALETTE_WIDTH
from fourm.training.augmentation import MOST_BOXES
from fourm.training.export import write_checkpoint
from fourm.training.run import Run
from fourm.transformer import FM, FMConfig
from recipes.mini.architecture import (
    BOXES,
    EDGES,
    IMAGE,
    METADATA,
    PALETTE,
    SEG,
    TARGET,
    TEXT,
    mini_config,
)
from recipes.mini.flickr8k_coco import Flickr8kCoco
from tests.fourm import tiny_model

WIDTH, DEPTH, HEADS = 384, 12, 6
CAPTIONS = ("two dogs on snow", "a red bicycle at sea", "a cat and a dog on the beach")


DOG = {"index": 1, "category_id": 18, "score": 0.9, "box": [0.27, 0.45, 0.8, 0.67]}


class Made(NamedTuple):
    """A finished run: what it was made of and the model folder that it wrote."""

    run: Run
    data: Flickr8kCoco
    language: Path
    former: Path
    bundle: Path


def make_data(folder):
    """Photos of noise with captions, objects and label maps, laid out like the real data."""
    rng = np.random.default_rng(0)
    flickr = folder / "flickr8k"
    rows, instances = [], []
    for number in range(14):
        name = f"photo{number}.jpg"
        _photo(flickr / "images" / name, rng, 224)
        split = "train" if number < 12 else "dev"
        rows.append({"image": name, "split": split, "captions": list(CAPTIONS)})
        instances.append({"image": name, "instances": [dict(DOG)]})
        indices = np.zeros((224, 224), np.uint8)
        indices[100:150, 60:180] = 1
        _save(flickr / "instances" / f"photo{number}.png", indices)
    _lines(flickr / "captions.jsonl", rows)
    _lines(flickr / "instances.jsonl", instances)
    for name, values, count in (
        ("coco_panoptic", (1, 18, 187, 193), 10),
        ("ccp", (0, 7, 41), 3),
        ("camvid", (0, 3, 8, 11), 5),
    ):
        for number in range(count):
            _photo(folder / name / "images" / f"{number:02d}.jpg", rng, 240)
            blocks = rng.choice(values, (6, 6)).astype(np.uint8)
            mask = Image.fromarray(blocks).resize((240, 240), Image.Resampling.NEAREST)
            _save(folder / name / "masks" / f"{number:02d}.png", np.array(mask))
    _make_described(folder, rng)
    _make_drawn(folder / "bsds_drawings", rng)
    return folder


def _make_described(folder, rng):
    texts = {
        "ade_rooms": {"details": ["A bed.", "a lamp on a table"], "full": ["A bed. A lamp."]},
        "coco_captions": list(CAPTIONS[:2]),
        "imagenet_names": ["goldfish"],
    }
    for name, written in texts.items():
        captions = {}
        for number in range(6):
            _photo(folder / name / "images" / f"{number}.jpg", rng, 230)
            captions[f"{number}.jpg"] = written
        (folder / name / "captions.json").write_text(json.dumps(captions))


def _make_drawn(folder, rng):
    for number in range(6):
        _photo(folder / "images" / f"{number}.jpg", rng, 230)
        for person in range(2):
            lines = np.zeros((230, 230), np.uint8)
            lines[rng.integers(20, 200)] = 255
            _save(folder / "sketches_each" / f"{number}_{person}.png", lines)


def make_teacher():
    """Encoder tensors as the `teacher` stage writes them, random and narrow."""
    state = _model([IMAGE], {}).state_dict()
    outside = ("decoder", "mask_token")
    state = {name: value for name, value in state.items() if not name.startswith(outside)}
    state[f"encoder_embeddings.{IMAGE}.pos_emb"].normal_(std=0.1)
    return {name: value.clone().contiguous() for name, value in state.items()}


def further_inputs():
    """Entries of `modality_info` for what mini reads besides photos, texts and maps."""

    def items(width, most):
        positions = {"max_tokens": most, "position_rows": most, "positions": "learned"}
        return {"kind": "seq_emb", "width": width, **positions}

    return {
        EDGES: {
            "kind": "pixels",
            "patch_size": 14,
            "channels": 1,
            "max_tokens": 64,
            "positions": "learned",
        },
        BOXES: items(BOXES_WIDTH, MOST_BOXES),
        PALETTE: items(PALETTE_WIDTH, MOST_COLOURS),
        METADATA: items(METADATA_WIDTH, 8),
    }


def make_former(folder, teacher, language):
    """A model folder of format 1 with this encoder and all inputs."""
    info = {**mini_config(WIDTH, DEPTH, HEADS)["modality_info"], **further_inputs()}
    names = [name for name in info if name != TARGET]
    model = _model(names, info)
    model.load_state_dict(teacher, strict=False)
    config = {**mini_config(WIDTH, DEPTH, HEADS), "domains_in": names, "modality_info": info}
    write_checkpoint(folder / "model", config | {"domains_out": []}, model.state_dict())
    shipped = bundled()["mini"]
    for part in ("tok_semseg", "tok_dinov2_global"):
        shutil.copytree(shipped / part, folder / part)
    shutil.copytree(language, folder / "language_model")
    head = {"mean": torch.zeros(WIDTH), "matrix": torch.randn(WIDTH - 1, WIDTH)}
    readouts = {}
    for name in ("edges", "boxes", "palette", "metadata"):
        save_file(head, str(folder / f"readout_{name}.safetensors"))
        readouts[name] = {"transform": f"readout_{name}.safetensors", "weight": 0.5}
    save_file(head, str(folder / "transform.safetensors"))
    space = {"modality": TARGET, "decode": "soft", "image_readout": "register"}
    space |= {"transform": "transform.safetensors", "readouts": readouts}
    manifest = {
        "format": 1,
        "name": "former",
        "title": "test",
        "model": "model",
        "kinds": {"image": IMAGE, "text": TEXT, "seg": SEG},
        "tokenizers": {SEG: "tok_semseg", TARGET: "tok_dinov2_global"},
        "language_models": {TEXT: "language_model"},
        "spaces": {"dinov2-s14": space},
    }
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return folder


def _model(names, info):
    torch.manual_seed(0)
    config = mini_config(WIDTH, DEPTH, HEADS)
    config |= {"domains_in": names, "modality_info": {**config["modality_info"], **info}}
    fields = Fields({**config, "domains_out": []}, "test")
    return FM(FMConfig.from_fields(fields), inputs=names, outputs=[])


def make_language(folder, monkeypatch):
    """A language model of the teacher's width, one layer deep, with a few words."""
    small = {**tiny_model.BERT_CONFIG, "hidden_size": WIDTH, "max_position_embeddings": 64}
    monkeypatch.setattr(tiny_model, "BERT_CONFIG", small)
    torch.manual_seed(0)
    tiny_model.write_language_model(folder)
    return folder


def _photo(path, rng, side):
    _save(path, rng.integers(0, 255, (side, side, 3)).astype(np.uint8))


def _save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def _lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
