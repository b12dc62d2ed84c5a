"""Small models with random weights in the layout of the official repositories."""

import json

import torch
from safetensors.torch import save_file

from fourm.checkpoints import Fields
from fourm.hub.official import MODELS, TEXT_TOKENIZER, tokenizer_repositories
from fourm.tokenizers.loading import build_tokenizer
from fourm.tokens import OFFICIAL
from fourm.transformer import FM, FMConfig
from tests.fourm.small_tokenizers import text_tokenizer
from tests.fourm.tiny_model import GLOBAL_CONFIG, SEMSEG_CONFIG

TOKENIZERS = tokenizer_repositories()

FM_CONFIG = {
    "domains_in": list(OFFICIAL),
    "domains_out": ["tok_dinov2_global", "tok_imagebind_global"],
    "image_size": 64,
    "patch_size": 16,
    "dim": 16,
    "encoder_depth": 1,
    "decoder_depth": 1,
    "num_heads": 2,
    "norm_bias": False,
    "act_layer": "SiLU",
    "gated_mlp": True,
    "modality_info": {
        **{name: {"vocabulary": 4100} for name, about in OFFICIAL.items() if about.kind == "seq"},
        **{
            name: {"vocabulary": 32, "max_tokens": 16}
            for name, about in OFFICIAL.items()
            if about.kind == "img"
        },
        "rgb@224": {"max_tokens": 16},
        "t5_caption": {"width": 8},
        "tok_dinov2_global": {"vocabulary": 8, "max_tokens": 4},
        "tok_imagebind_global": {"vocabulary": 8, "max_tokens": 4},
    },
}
PARTS = {
    "4M-21_B": FM_CONFIG,
    TOKENIZERS["tok_semseg@224"]: SEMSEG_CONFIG,
    TOKENIZERS["tok_dinov2_global"]: GLOBAL_CONFIG,
    TOKENIZERS["tok_imagebind_global"]: {**GLOBAL_CONFIG, "n_channels": 24},
}


def make_small_official(shelf):
    """Write a model, three tokenizers and a text tokenizer side by side into a folder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for name, config in PARTS.items():
            if name in MODELS:
                module = FM(FMConfig.from_fields(Fields(config)))
            else:
                module = build_tokenizer(config)
            folder = shelf / name
            folder.mkdir(parents=True)
            (folder / "config.json").write_text(json.dumps(config))
            (folder / "README.md").write_text(f"# {name}, with random weights\n")
            (folder / "training.log").write_text("not worth fetching\n")
            tensors = {k: v.detach().clone() for k, v in module.state_dict().items()}
            save_file(tensors, folder / "model.safetensors")
    text_tokenizer(("dog", "snow", "a")).save(str(shelf / TEXT_TOKENIZER))
    return shelf
