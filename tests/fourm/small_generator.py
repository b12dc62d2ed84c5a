"""A small model with random weights whose image tokens and texts are inputs and outputs."""

import torch

from fourm.checkpoints import Fields
from fourm.tokenizers.wordpiece import SpecialIds
from fourm.transformer import FM, FMConfig

GLOBAL, LABELS, CAPTION = "tok_dinov2_global", "tok_semseg@224", "caption"
TOKENS = {GLOBAL: 4, LABELS: 9}
WORDS = 50
IDS = SpecialIds(pad=0, end=3, sentinels=range(4, 14))
SWITCHES = {
    "as 4M-21": {"act_layer": "SiLU", "gated_mlp": True, "norm_bias": False, "qkv_bias": False},
    "one register token": {"act_layer": "GELU", "norm_bias": True, "num_register_tokens": 1},
    "normalised queries and keys": {"act_layer": "GELU", "norm_bias": True, "qk_norm": True},
}


def small_generator(inputs=None, **switches):
    fields = {
        "domains_in": inputs or ["rgb@224", CAPTION, LABELS, GLOBAL],
        "domains_out": [GLOBAL, LABELS, CAPTION],
        "dim": 32,
        "encoder_depth": 2,
        "decoder_depth": 2,
        "num_heads": 4,
        "modality_info": {
            "rgb@224": {"patch_size": 8, "max_tokens": 9, "positions": "learned"},
            CAPTION: {"vocabulary": WORDS, "max_tokens": 12},
            LABELS: {"vocabulary": 20, "max_tokens": 9},
            GLOBAL: {"vocabulary": 16, "max_tokens": 4},
        },
        **(switches or SWITCHES["as 4M-21"]),
    }
    return random_fm(fields)


def random_fm(fields):
    """The transformer of a config, with random embeddings and biases as well as matrices."""
    torch.manual_seed(0)
    model = FM(FMConfig.from_fields(Fields(fields))).eval()
    for name, value in model.named_parameters():
        if "_emb" in name or "token" in name or "to_logits" in name:
            torch.nn.init.normal_(value)
        elif name.endswith(".bias"):
            torch.nn.init.normal_(value, std=0.3)
    return model


def random_images(count):
    return torch.randn(count, 3, 24, 24, generator=torch.Generator().manual_seed(5))
