"""Models of the official sizes with random weights, in memory and as folders.

Speed and memory depend on shapes alone. Size tiny is for test runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
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
    """The transformer; tiny: width 32, 2+2 blocks, by default from photos to global tokens."""
    from fourm.tokens import OFFICIAL
    from fourm.transformer import FM, FMConfig, fm_4m21_b, fm_4m21_l, fm_4m21_xl

    if size != "tiny":
        builder = {"B": fm_4m21_b, "L": fm_4m21_l, "XL": fm_4m21_xl}[size]
        return builder(inputs, outputs).eval()
    config = FMConfig(
        domains_in=(PHOTO,) if inputs is None else tuple(inputs),
        domains_out=(GLOBAL,) if outputs is None else tuple(outputs),
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


def write(shelf: Path, size: str, spaces: Sequence[str] | None = None) -> Path:
    """Write a model and its tokenizers side by side and return the model's folder.

    Args:
        shelf: parent folder.
        size: one of `SIZES`.
        spaces: predicted from photos; None writes the whole model with the tokenizer of `dinov2`.
    """
    import torch

    from fourm.hub import official
    from fourm.tokenizers.loading import build_tokenizer

    torch.manual_seed(0)
    targets = [official.spaces()[space].modality for space in spaces or ("dinov2",)]
    for target in targets:
        config = _tokenizer(target, size)
        _save(shelf / official.tokenizer_repositories()[target], config, build_tokenizer(config))
    model = build(size) if spaces is None else build(size, [PHOTO], targets)
    fields = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(model.config).items()
        if name != "modalities"
    }
    domains = {"domains_in": list(model.inputs), "domains_out": list(model.outputs)}
    pixels = {"image_size": 224, "patch_size": 16}
    _save(shelf / f"4M-21_{size}", {**fields, **domains, **pixels}, model)
    return shelf / f"4M-21_{size}"


def _save(folder: Path, config: dict[str, Any], module: torch.nn.Module) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")


def _tokenizer(target: str, size: str) -> dict[str, Any]:
    from fourm.hub.official import tokenizer_repositories, tokenizers

    config = dict(tokenizers()[tokenizer_repositories()[target]].config)
    if size == "tiny" and config["quant_type"] == "memcodes":
        mlp = "BottleneckMLP/B_2-Wi_64"
        config |= {"enc_type": mlp, "dec_type": mlp, "latent_dim": 64}
    elif size == "tiny":
        config |= {"enc_type": "vit_nano_enc", "dec_type": "vit_nano_dec"}
    return config


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
