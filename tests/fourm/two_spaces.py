"""A bundle of format 2 with random weights: two spaces, in which every modality is read alone."""

import json

import torch
from safetensors.torch import load_file, save_file

from tests.fourm.tiny_model import (
    DIM,
    FM_CONFIG,
    SEMSEG_CONFIG,
    write_language_model,
    write_model,
    write_tokenizer,
)

DIMS = {"photos": 24, "joint": 20}
HIDDEN = 10
LANGUAGE = 16
FORMER = "f" * 64

BUNDLE = {
    "format": 2,
    "name": "two",
    "title": "random weights, for tests",
    "model": "model",
    "kinds": {"image": "rgb@224", "text": "tiny_caption", "seg": "tok_semseg@224"},
    "tokenizers": {"tok_semseg@224": "tok_semseg"},
    "language_models": {"tiny_caption": "language_model"},
    "spaces": {
        "photos": {
            "title": "photos among photos",
            "former_name": "dinov2",
            "readouts": {
                "image": {"features": "register", "head": "photos-image.safetensors"},
                "text": {"features": "language", "head": "heads/photos-text.safetensors"},
                "seg": {
                    "features": "encoder",
                    "layers": [1],
                    "head": "heads/photos-seg.safetensors",
                    "weight": 0.5,
                },
            },
        },
        "joint": {
            "title": "photos and words",
            "readouts": {
                "image": {
                    "features": "encoder",
                    "layers": [0, 1],
                    "head": "heads/joint-image.safetensors",
                    "weight": 1.5,
                },
                "text": {
                    "features": "language",
                    "head": "heads/joint-text.safetensors",
                    "weight": 2.0,
                },
                "seg": {
                    "features": "encoder",
                    "layers": [0, 1],
                    "head": "heads/joint-seg.safetensors",
                },
            },
        },
    },
    "space_for": [
        {"inputs": ["image"], "spaces": {"photos": 1}},
        {"inputs": ["image", "+"], "spaces": {"photos": 0.5, "joint": 1}, "fusion": "scores"},
        {"inputs": "*", "spaces": {"joint": 1}},
    ],
    "succeeds": {"photos": [FORMER]},
}


def make_two_spaces(folder, seed=0):
    """Write the bundle into `folder` and return it; the same for a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = {**FM_CONFIG, "domains_out": []}
        write_model(folder / "model", config)
        write_tokenizer(folder / "tok_semseg", SEMSEG_CONFIG)
        write_language_model(folder / "language_model")
        words = load_file(folder / "language_model" / "model.safetensors")
        vocabulary = len(words["embeddings.word_embeddings.weight"])
        (folder / "heads").mkdir()
        for space, entry in BUNDLE["spaces"].items():
            for modality, readout in entry["readouts"].items():
                width = {"register": DIM, "language": LANGUAGE}.get(
                    readout["features"], 2 * DIM * len(readout.get("layers", ()))
                )
                tensors = {"mean": torch.randn(width), "matrix": torch.randn(DIMS[space], width)}
                if modality == "seg":
                    tensors |= {
                        "hidden_weight": torch.randn(HIDDEN, width),
                        "hidden_bias": torch.randn(HIDDEN),
                        "out_weight": torch.randn(DIMS[space], HIDDEN),
                    }
                if modality == "text":
                    idf = torch.rand(vocabulary) + 0.5
                    idf[:4] = 0
                    tensors |= {"idf": idf, "words": torch.randn(vocabulary, DIMS[space])}
                save_file(tensors, folder / readout["head"])
    (folder / "bundle.json").write_text(json.dumps(BUNDLE, indent=2))
    return folder
