"""A bundle like the official ones, with random weights: three spaces, and parts it can predict."""

import json

import torch

from tests.fourm.tiny_model import (
    FM_CONFIG,
    GLOBAL_CONFIG,
    SEMSEG_CONFIG,
    write_language_model,
    write_model,
    write_tokenizer,
)

SPACES = ("dinov2", "imagebind", "clip")
DIMS = {"dinov2": 32, "imagebind": 20, "clip": 12}

CLIP_CONFIG = {
    "image_size": 64,
    "n_channels": DIMS["clip"],
    "enc_type": "vit_nano_enc",
    "dec_type": "vit_nano_dec",
    "patch_proj": False,
    "patch_size": 16,
    "quant_type": "lucid",
    "codebook_size": 16,
    "latent_dim": 8,
    "post_mlp": True,
}
SEQUENCE = {"vocabulary": 220, "max_tokens": 12}
CONFIG = {
    **{key: value for key, value in FM_CONFIG.items() if key != "num_register_tokens"},
    "domains_in": ["rgb@224", "tiny_caption", "tok_semseg@224", "tok_depth@224", "det"],
    "domains_out": [
        *("tok_dinov2_global", "tok_imagebind_global", "tok_clip@224"),
        *("tok_semseg@224", "tok_depth@224", "det"),
    ],
    "decoder_depth": 2,
    "modality_info": {
        **FM_CONFIG["modality_info"],
        "tok_imagebind_global": {"vocabulary": 8, "max_tokens": 4},
        "tok_clip@224": {"vocabulary": 16, "max_tokens": 9},
        "tok_depth@224": {"vocabulary": 24, "max_tokens": 16},
        "det": SEQUENCE,
    },
}
BUNDLE = {
    "format": 1,
    "name": "three",
    "model": "model",
    "kinds": {"image": "rgb@224", "text": "tiny_caption", "seg": "tok_semseg@224"},
    "tokenizers": {
        "tok_semseg@224": "tok_semseg",
        "tok_dinov2_global": "tok_dinov2_global",
        "tok_imagebind_global": "tok_imagebind_global",
        "tok_clip@224": "tok_clip",
    },
    "language_models": {"tiny_caption": "language_model"},
    "spaces": {
        "dinov2": {"modality": "tok_dinov2_global"},
        "imagebind": {"modality": "tok_imagebind_global", "decode": "soft"},
        "clip": {"modality": "tok_clip@224", "pool": "mean"},
    },
}


def make_three_spaces(folder, seed=0):
    """Write the bundle into `folder` and return it; the same for a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        write_model(folder / "model", CONFIG)
        write_tokenizer(folder / "tok_semseg", SEMSEG_CONFIG)
        write_tokenizer(folder / "tok_clip", CLIP_CONFIG)
        for name in ("dinov2", "imagebind"):
            config = {**GLOBAL_CONFIG, "n_channels": DIMS[name]}
            write_tokenizer(folder / f"tok_{name}_global", config)
        write_language_model(folder / "language_model")
    (folder / "bundle.json").write_text(json.dumps(BUNDLE, indent=2))
    return folder
