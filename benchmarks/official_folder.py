"""Models of the official sizes with random weights: in memory, and as folders of two repositories.

Speed and memory depend on shapes alone. The tiny size is for trying a benchmark out.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from fourm.transformer import FM

SIZES = ("tiny", "B", "L", "XL")
PHOTO, GLOBAL = "rgb@224", "tok_dinov2_global"


def build(
    size: str, inputs: Iterable[str] | None = None, outputs: Iterable[str] | None = None
) -> FM:
    """The transformer; tiny: 32 wide, 2+2 blocks, photos in and global tokens out."""
    from fourm.modalities.registry import OFFICIAL
    from fourm.transformer import FM, FMConfig, fm_4m21_b, fm_4m21_l, fm_4m21_xl

    if size != "tiny":
        builder = {"B": fm_4m21_b, "L": fm_4m21_l, "XL": fm_4m21_xl}[size]
        return builder(inputs, outputs).eval()
    config = FMConfig(
        domains_in=(PHOTO,),
        domains_out=(GLOBAL,),
        modalities=OFFICIAL,
        dim=32,
        encoder_depth=2,
        decoder_depth=2,
        num_heads=2,
        act_layer="SiLU",
        gated_mlp=True,
        qkv_bias=False,
        proj_bias=False,
        mlp_bias=False,
        norm_bias=False,
    )
    return FM(config).eval()


def write(shelf: Path, size: str) -> Path:
    """Write a model and its tokenizer of DINOv2 side by side; the model's folder."""
    import torch

    from fourm.bundle.official import TOKENIZERS
    from fourm.tokenizers.loading import build_tokenizer

    torch.manual_seed(0)
    config = _tokenizer(size)
    _save(shelf / TOKENIZERS[GLOBAL], config, build_tokenizer(config))
    model = build(size)
    fields = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(model.config).items()
        if name != "modalities"
    }
    _save(shelf / f"4M-21_{size}", {**fields, "image_size": 224, "patch_size": 16}, model)
    return shelf / f"4M-21_{size}"


def _save(folder: Path, config: dict[str, Any], module: torch.nn.Module) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")


def _tokenizer(size: str) -> dict[str, Any]:
    from fourm.bundle.official import TOKENIZERS
    from fourm.tokenizers.builders import OFFICIAL_CONFIGS

    mlp = "BottleneckMLP/B_2-Wi_64"
    tiny = {"enc_type": mlp, "dec_type": mlp, "latent_dim": 64}
    return {**OFFICIAL_CONFIGS[TOKENIZERS[GLOBAL]], **(tiny if size == "tiny" else {})}


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
