"""Several spaces from one pass, compared with one space and with a call for each."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import Row, compared, in_turns, report, seconds
from benchmarks.official_folder import write
from benchmarks.options import number

if TYPE_CHECKING:
    from fourm import Model
    from fourm.model.samples import Prepared

TARGET = 1.35
GLOBALS = ("dinov2", "imagebind")
SPACES = (*GLOBALS, "clip")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    import numpy as np

    from fourm import load_4m

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", choices=("tiny", "B"), default="B")
    options.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    options.add_argument("--batch-size", type=number(), default=8, help="photos (default: 8)")
    options.add_argument("--rounds", type=number(), default=5, help="repeats of each (default: 5)")
    chosen = options.parse_args(arguments)
    noise = np.random.default_rng(0).integers(0, 256, (chosen.batch_size, 224, 224, 3), np.uint8)
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as shelf:
        folder = write(Path(shelf), chosen.size, SPACES)
        model = load_4m(folder, device="cpu", dtype=chosen.dtype)
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


def measure(model: Model, photos: Sequence[Prepared], rounds: int) -> list[Row]:
    """Rows of the table: seconds per photo, together and apart."""
    import numpy as np

    together = model.embed_spaces(photos, spaces=SPACES)
    close = 2e-4 if str(model.dtype) == "torch.float32" else 0.1
    for name, vectors in together.items():
        if not np.allclose(vectors, model.embed(photos, space=name), atol=close):
            print(f"error: {name} differs when computed with other spaces", file=sys.stderr)
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

    def row(what: str, values: str, baseline_name: str, baseline: str, judged: bool = False) -> Row:
        return compared(
            what,
            measured[values],
            "s/photo",
            baseline_name,
            measured[baseline],
            target=f"at most {TARGET:g} times" if judged else "",
            most=TARGET if judged else None,
        )

    listed = " + ".join(SPACES)
    return [
        row(listed, "all", "clip alone, the most expensive", "clip", judged=True),
        row(" + ".join(GLOBALS), "globals", "dinov2 alone", "dinov2", judged=True),
        # clip predicts 196 tokens where the others predict 16, and decodes them with a ViT.
        row(listed, "all", "dinov2 alone", "dinov2"),
        row(listed, "all", "three calls", "apart"),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
