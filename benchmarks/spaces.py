"""Several spaces of a photo from one pass, beside one space, and beside a call for each."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Row, beside, in_turns, report, seconds

if TYPE_CHECKING:
    from fourm import Model
    from fourm.bundle.samples import Prepared

TARGET = 1.35
GLOBALS = ("dinov2", "imagebind")
SPACES = (*GLOBALS, "clip")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    import numpy as np

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", choices=("tiny", "B"), default="B")
    options.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    options.add_argument("--batch-size", type=int, default=8, help="photos (default: 8)")
    options.add_argument("--rounds", type=int, default=5, help="repeats of each (default: 5)")
    chosen = options.parse_args(arguments)
    for name in ("batch_size", "rounds"):
        if not 1 <= getattr(chosen, name) <= 4096:
            options.error(f"--{name.replace('_', '-')} must be 1 to 4096")
    noise = np.random.default_rng(0).integers(0, 256, (chosen.batch_size, 224, 224, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        model = build(Path(folder), chosen.size, chosen.dtype)
        photos = [model.prepare({"image": photo}) for photo in noise]
        rows = measure(model, photos, chosen.rounds)
    setting = {
        "model": f"4M-21 {chosen.size} and its tokenizers, random weights",
        "dtype": chosen.dtype,
        "batch": chosen.batch_size,
        "rounds": chosen.rounds,
    }
    report("spaces", setting, rows)
    return 0


def build(folder: Path, size: str, dtype: str) -> Model:
    """A model and the three tokenizers of its spaces, of official shapes, with random weights."""
    import torch
    from safetensors.torch import save_file

    from fourm import load_model
    from fourm.bundle.official import TOKENIZERS
    from fourm.checkpoints import Fields
    from fourm.tokenizers.loading import build_tokenizer
    from fourm.transformer import FM, FMConfig

    torch.manual_seed(0)
    tiny = size == "tiny"
    fm = FM(FMConfig.from_fields(Fields(_transformer(tiny)))).eval()
    written: list[tuple[str, dict[str, Any], torch.nn.Module]] = [
        ("4M-21_B", _transformer(tiny), fm)
    ]
    for name, config in _tokenizers(tiny).items():
        written.append((TOKENIZERS[name], config, build_tokenizer(config)))
    for name, config, module in written:
        (folder / name).mkdir()
        (folder / name / "config.json").write_text(json.dumps(config))
        save_file(
            {key: value.contiguous() for key, value in module.state_dict().items()},
            folder / name / "model.safetensors",
        )
    del fm, written
    return load_model(folder / "4M-21_B", device="cpu", dtype=dtype)


def measure(model: Model, photos: Sequence[Prepared], rounds: int) -> list[Row]:
    """Rows of the table: photos a second, together and apart."""
    import numpy as np

    together = model.embed_spaces(photos, spaces=SPACES)
    close = 2e-4 if str(model.dtype) == "torch.float32" else 0.1
    for name, vectors in together.items():
        if not np.allclose(vectors, model.embed(photos, space=name), atol=close):
            print(f"error: {name} comes out otherwise together than alone", file=sys.stderr)
            raise SystemExit(1)

    def cost(*spaces: str) -> float:
        return seconds(lambda: model.embed_spaces(photos, spaces=spaces)) / len(photos)

    measured = in_turns(
        {
            **{name: lambda name=name: cost(name) for name in SPACES},  # type: ignore[misc]
            "globals": lambda: cost(*GLOBALS),
            "all": lambda: cost(*SPACES),
            "apart": lambda: sum(cost(name) for name in SPACES),
        },
        rounds,
    )

    def row(what: str, values: str, floor_is: str, floor: str, asked: bool = False) -> Row:
        pairs = zip(measured[values], measured[floor], strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        goal = {"target": f"at most {TARGET:g} times", "reached": ratio <= TARGET} if asked else {}
        return beside(what, measured[values], "s/photo", floor_is, measured[floor], **goal)

    listed = " + ".join(SPACES)
    return [
        row(listed, "all", "clip alone, the dearest", "clip", asked=True),
        row(" + ".join(GLOBALS), "globals", "dinov2 alone", "dinov2", asked=True),
        # clip predicts 196 tokens where the others predict 16, and decodes them with a ViT.
        row(listed, "all", "dinov2 alone", "dinov2"),
        row(listed, "all", "three calls", "apart"),
    ]


def _transformer(tiny: bool) -> dict[str, Any]:
    from fourm.bundle.official import SPACES as OFFICIAL_SPACES

    sizes = {"dim": 32, "encoder_depth": 1, "decoder_depth": 1, "num_heads": 2}
    return {
        "domains_in": ["rgb@224"],
        "domains_out": [OFFICIAL_SPACES[name].modality for name in SPACES],
        "image_size": 224,
        "patch_size": 16,
        "norm_bias": False,
        "act_layer": "SiLU",
        "gated_mlp": True,
        "qkv_bias": False,
        "proj_bias": False,
        "mlp_bias": False,
        **(sizes if tiny else {}),
    }


def _tokenizers(tiny: bool) -> dict[str, dict[str, Any]]:
    mlp = "BottleneckMLP/B_1-Wi_64" if tiny else "BottleneckMLP/B_6-Wi_1024"
    vector = {
        "image_size": 1,
        "patch_size": 1,
        "patch_proj": False,
        "enc_type": mlp,
        "dec_type": mlp,
        "quant_type": "memcodes",
        "codebook_size": 8192,
        "num_codebooks": 16,
        "latent_dim": 64 if tiny else 1024,
    }
    grid = {
        "image_size": 448,
        "patch_size": 16,
        "patch_proj": False,
        "enc_type": "vit_nano_enc" if tiny else "vit_b_enc",
        "dec_type": "vit_nano_dec" if tiny else "vit_b_dec",
        "post_mlp": True,
        "quant_type": "lucid",
        "codebook_size": 8192,
        "latent_dim": 32,
    }
    return {
        "tok_dinov2_global": {**vector, "n_channels": 768},
        "tok_imagebind_global": {**vector, "n_channels": 1280},
        "tok_clip@224": {**grid, "n_channels": 512},
    }


if __name__ == "__main__":
    raise SystemExit(main())
