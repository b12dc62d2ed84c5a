"""A data folder, a teacher and a language model small enough to run every stage in seconds."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from fourm.checkpoints import Fields
from fourm.training.run import Run
from fourm.transformer import FM, FMConfig
from recipes.mini.architecture import IMAGE, mini_config
from recipes.mini.flickr8k_coco import Flickr8kCoco
from tests.fourm import tiny_model

WIDTH = 384
CAPTIONS = ("two dogs on snow", "a red bicycle at sea", "a cat and a dog on the beach")


DOG = {"index": 1, "category_id": 18, "score": 0.9, "box": [0.27, 0.45, 0.8, 0.67]}


class Made(NamedTuple):
    """A finished run: what it was made of and the model folder that it wrote."""

    run: Run
    data: Flickr8kCoco
    language: Path
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
    return folder


def make_teacher():
    """Encoder tensors as the `teacher` stage writes them, random and one layer deep."""
    torch.manual_seed(0)
    config = FMConfig.from_fields(Fields(mini_config(WIDTH, 1, 6), "test"))
    state = FM(config, inputs=[IMAGE], outputs=[]).state_dict()
    outside = ("decoder", "mask_token")
    state = {name: value for name, value in state.items() if not name.startswith(outside)}
    state[f"encoder_embeddings.{IMAGE}.pos_emb"].normal_(std=0.1)
    return {name: value.clone().contiguous() for name, value in state.items()}


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
