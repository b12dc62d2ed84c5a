"""The architecture of mini: its transformer's config, and the parts of it that are frozen."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from fourm.checkpoints import Fields
from fourm.modalities.seg import panoptic_classes
from fourm.training.label_tokenizer import label_tokenizer_config
from fourm.transformer import FM, FMConfig

IMAGE, TEXT, SEG = "rgb@224", "minilm_caption", "tok_semseg@64"
EDGES, BOXES, PALETTE, METADATA = "canny_edge@112", "box_items", "palette_items", "fact_items"
TARGET = "tok_dinov2_global"

CODEBOOKS, CODES, CHUNK = 16, 512, 24
"""The global tokenizer: CODEBOOKS tokens, CODES entries each, of CHUNK values."""

MAP_SIDE, SEG_CODES, SEG_GRID = 64, 2048, 8
"""The segmentation tokenizer: SEG_GRID x SEG_GRID tokens of a label map, out of SEG_CODES."""

LAYERS = (6, 7, 8, 9, 10, 11)
"""Encoder blocks, counted from 0, whose outputs stage `features` keeps."""

MAX_WORDS = 64
"""Tokens of a text."""

CLASSES = len(panoptic_classes())
SEG_CONFIG = label_tokenizer_config(CLASSES, SEG_CODES, side=MAP_SIDE, grid=SEG_GRID)
"""`config.json` of the segmentation tokenizer."""


def mini_config(width: int = 384, depth: int = 12, heads: int = 6) -> dict[str, Any]:
    """`config.json` of mini's transformer."""
    return {
        "domains_in": [IMAGE, TEXT, SEG],
        "domains_out": [TARGET],
        "image_size": 224,
        "patch_size": 14,
        "norm_bias": True,
        "act_layer": "GELU",
        "dim": width,
        "encoder_depth": depth,
        "decoder_depth": 2,
        "num_heads": heads,
        "num_register_tokens": 1,
        "modality_info": {
            IMAGE: {"patch_size": 14, "max_tokens": 256, "positions": "learned"},
            TEXT: {
                "kind": "seq_emb",
                "width": width,
                "max_tokens": MAX_WORDS,
                "position_rows": MAX_WORDS,
                "positions": "learned",
            },
            SEG: {
                "kind": "img",
                "vocabulary": SEG_CODES,
                "max_tokens": SEG_GRID * SEG_GRID,
                "positions": "learned",
            },
            TARGET: {"vocabulary": CODES, "max_tokens": CODEBOOKS},
        },
    }


def build(config: dict[str, Any]) -> FM:
    """A transformer with random weights."""
    return FM(FMConfig.from_fields(Fields(config, "mini")))


def image_encoder(teacher: dict[str, Tensor]) -> FM:
    """The teacher as an encoder of photos, without outputs."""
    config = config_for(teacher)
    model = FM(FMConfig.from_fields(Fields(config, "mini")), inputs=[IMAGE], outputs=[])
    load_teacher(model, teacher)
    return model.eval()


def load_teacher(model: FM, teacher: dict[str, Tensor]) -> None:
    """Copy the teacher's tensors into a model and freeze them."""
    model.load_state_dict(teacher, strict=False)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in teacher)


def config_for(teacher: dict[str, Tensor]) -> dict[str, Any]:
    """`config.json` of a model whose encoder is this teacher."""
    width = teacher["encoder_norm.weight"].shape[0]
    depth = sum(name.endswith("norm1.weight") for name in teacher)
    return mini_config(width, depth, max(1, width // 64))
