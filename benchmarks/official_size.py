"""A DINOv2 embedding by 4M-21 B: speed compared with its bare matrix products, and peak memory.

    python -m benchmarks.official_size                      float32 and bfloat16, random weights
    python -m benchmarks.official_size --folder 4M-21_B     another folder in the official format

Memory is measured in fresh processes, imports included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import Row, compared, in_turns, report, seconds
from benchmarks.options import number

if TYPE_CHECKING:
    from fourm import Model
    from fourm.tokenizers.vqvae import VQVAE
    from fourm.transformer import FM

SECONDS = {"float32": 0.19, "bfloat16": 0.08}
SHARE = 0.8
MEMORY = {"float32": 1500.0}
SPACE, TARGET = "dinov2", "tok_dinov2_global"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    chosen = _options(arguments)
    dtypes = chosen.dtype or list(SECONDS)
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as shelf:
        folder = chosen.folder
        if folder is None:
            _python("-m", "benchmarks.official_folder", shelf, chosen.size)
            folder = str(Path(shelf) / f"4M-21_{chosen.size}")
        rows = []
        for dtype in dtypes:
            rows += memory(folder, dtype, chosen.batch_size, chosen.threads)
        for dtype in dtypes:
            rows += speed(folder, dtype, chosen.batch_size, chosen.threads, chosen.rounds)
    setting = {
        "model": chosen.folder or f"4M-21 {chosen.size}, random weights",
        "space": SPACE,
        "batch": chosen.batch_size,
        "rounds": chosen.rounds,
    }
    report("official size", setting, rows)
    return 0


def speed(folder: str, dtype: str, batch: int, threads: int, rounds: int) -> list[Row]:
    """Seconds per photo, and photos per second compared with the products alone."""
    import torch

    from benchmarks.products import loop
    from fourm import load_4m

    torch.set_num_threads(threads)
    model = load_4m(folder, device="cpu", dtype=dtype)
    photos = _photos(model, batch)
    model.embed(photos, space=SPACE)
    network, tokenizer = _parts(model, folder)

    def rate(taken: float) -> float:
        return batch / taken

    with torch.no_grad():
        ours = loop(network, tokenizer, TARGET, batch, few_queries=True)
        plain = loop(network, tokenizer, TARGET, batch, few_queries=False)
        ours(), plain()
        measured = in_turns(
            {
                "embed": lambda: rate(seconds(lambda: model.embed(photos, space=SPACE))),
                "ours": lambda: rate(seconds(ours)),
                "plain": lambda: rate(seconds(plain)),
            },
            rounds,
        )
    each = 1 / statistics.median(measured["embed"])
    return [
        compared(
            f"embed, {dtype}",
            measured["embed"],
            "photos/s",
            "its matrix products",
            measured["ours"],
            target=f"at least {SHARE:g}",
            least=SHARE,
        ),
        compared(
            f"embed, {dtype}",
            measured["embed"],
            "photos/s",
            "the products with keys and values",
            measured["plain"],
        ),
        Row(
            f"a photo, {dtype}",
            each,
            "s",
            target=f"at most {SECONDS[dtype]:g} s on two idle cores",
            reached=each <= SECONDS[dtype],
        ),
    ]


def memory(folder: str, dtype: str, batch: int, threads: int) -> list[Row]:
    """Peak memory of a fresh process after each step, in MiB."""
    printed = _python(
        "-m", "benchmarks.official_size", "--child", folder, dtype, str(batch), str(threads)
    )
    steps: dict[str, float] = json.loads(printed.splitlines()[-1])
    rows = [Row(f"peak, {dtype}: {step}", value, "MiB") for step, value in steps.items()]
    if dtype in MEMORY:
        most, last = MEMORY[dtype], rows[-1]
        reached = last.value <= most
        rows[-1] = Row(last.what, last.value, "MiB", target=f"at most {most:g}", reached=reached)
    return rows


def child(folder: str, dtype: str, batch: int, threads: int) -> None:
    """Run in the fresh process: print the peak after each step as JSON."""
    steps: dict[str, float] = {}

    def note(step: str) -> None:
        steps[step] = max([peak(), *steps.values()])  # the kernel's count may be off by a few pages

    note("Python")
    import torch

    from fourm import load_4m

    torch.set_num_threads(threads)
    note("and imports")
    model = load_4m(folder, device="cpu", dtype=dtype)
    photos = _photos(model, batch)
    note("and config and photos")
    model.embed(photos[:1], space=SPACE)
    note("and weights, one photo")
    model.embed(photos, space=SPACE)
    note(f"and a batch of {batch}")
    for _ in range(3):
        model.embed(photos, space=SPACE)
    note("and three more")
    print(json.dumps(steps))


def peak() -> float:
    """Peak resident memory of this process in MiB.

    On Linux `ru_maxrss` starts at the peak of the parent process; VmHWM does not.
    """
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _photos(model: Model, count: int) -> list[Any]:
    import numpy as np

    noise = np.random.default_rng(0).integers(0, 256, (count, 224, 224, 3), np.uint8)
    return [model.prepare({"image": photo}) for photo in noise]


def _parts(model: Model, folder: str) -> tuple[FM, VQVAE]:
    """The transformer and the tokenizer, loaded again from the same files."""
    from fourm.tokenizers.loading import load_tokenizer
    from fourm.transformer import load_fm

    network = load_fm(folder, inputs=["rgb@224"], outputs=[TARGET], dtype=model.dtype)
    manifest = model.manifest
    return network, load_tokenizer(manifest.locate(manifest.tokenizers[TARGET]), encode=False)


def _python(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    repository = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=repository, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--folder", help="model in the official format, next to its tokenizer")
    options.add_argument("--size", choices=("tiny", "B"), default="B", help="without --folder")
    options.add_argument("--dtype", action="append", choices=tuple(SECONDS), help="default: both")
    options.add_argument("--batch-size", type=number(), default=8, help="photos (default: 8)")
    options.add_argument(
        "--threads", type=number(), default=2, help="threads of torch (default: 2)"
    )
    options.add_argument("--rounds", type=number(), default=5, help="repeats of each (default: 5)")
    return options.parse_args(arguments)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        raise SystemExit(0)
    raise SystemExit(main())
