"""How far vectors in a lower precision are from those in float32, and whether a batch changes them.

    python -m benchmarks.precision                          4M-21 B, random weights
    python -m benchmarks.precision --folder mini            another model, by its name or folder

The default dtype of a model is decided by these numbers (`fourm.model.devices`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measuring import Row, report
from benchmarks.options import number

if TYPE_CHECKING:
    from fourm import Model

SPACE = "dinov2"
CLOSE = 0.999
DTYPES = ("float32", "bfloat16", "float16")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    from benchmarks.official_folder import write
    from fourm import load_4m

    chosen = _options(arguments)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as shelf:
        folder = chosen.folder or str(write(Path(shelf), chosen.size))
        exact: dict[str, Any] = {}
        for dtype in dict.fromkeys(("float32", *(chosen.dtype or DTYPES[:2]))):
            model = load_4m(folder, device="cpu", dtype=dtype)
            space = SPACE if SPACE in model.spaces else model.default_space
            for modality, samples in _samples(model, chosen.samples).items():
                alone = np.concatenate([model.embed([one], space=space) for one in samples])
                together = model.embed(samples, space=space)
                name = f"{modality}, {dtype}"
                rows.append(_row(f"{name}: alone and in a batch, lowest", alone, together, np.min))
                reference = exact.setdefault(modality, alone)
                if dtype != "float32":
                    for what, of in (("median", np.median), ("lowest", np.min)):
                        rows.append(_row(f"{name}: to float32, {what}", alone, reference, of))
    setting = {"model": chosen.folder or f"4M-21 {chosen.size}, random weights", "space": space}
    report("precision", {**setting, "samples": chosen.samples}, rows)
    return 0


def _row(what: str, one: Any, other: Any, of: Any) -> Row:
    value = float(of((one * other).sum(axis=1)))
    return Row(what, value, "cosine", target=f"at least {CLOSE}", reached=value >= CLOSE)


def _samples(model: Model, count: int) -> dict[str, list[Any]]:
    """Photos of smooth noise, and texts of random words and lengths."""
    from PIL import Image

    from fourm.model.samples import TokenIds

    random = np.random.default_rng(0)
    photos = []
    for size in random.integers(3, 30, count):
        noise = random.integers(0, 256, (size, size, 3), np.uint8)
        photos.append(Image.fromarray(noise).resize((224, 224), Image.Resampling.BICUBIC))
    samples = {"image": [model.prepare({"image": photo}) for photo in photos]}
    if "caption" not in model.transformer().config.domains_in and "text" not in model.inputs:
        return samples
    lengths = random.integers(2, 40, count)
    if model.manifest.language_models:
        words = ("a dog on the beach", "two", "red kites", "in front of a mountain", "at night")
        texts: list[Any] = [" ".join(random.choice(words, length)) for length in lengths // 4 + 1]
    else:
        # Ids, since random weights come without a text tokenizer; [EOS] is 3, words follow 4300.
        texts = [TokenIds(np.append(random.integers(4300, 30_000, n), 3)) for n in lengths]
    return {**samples, "text": [model.prepare({"text": text}) for text in texts]}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--folder", help="name or folder of a model")
    options.add_argument("--size", choices=("tiny", "B"), default="B", help="without --folder")
    options.add_argument(
        "--dtype", action="append", choices=DTYPES, help="default: float32 and bfloat16"
    )
    options.add_argument("--samples", type=number(), default=24, help="of each (default: 24)")
    return options.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
