"""Photos per second on a GPU at the official sizes, and the share of its matrix throughput.

    python -m benchmarks.gpu                               B, L and XL in bfloat16 on CUDA
    python -m benchmarks.gpu --size tiny --device cpu      a test run

A photo is encoded and its 16 DINOv2 tokens are predicted. The share is the rate of the matrix
products that this takes (`products.operations`) divided by the rate of one large product, measured
in the same rounds. The last line of the output is the result to record, with the GPU's name.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measuring import Row, in_turns, report, seconds
from benchmarks.official_folder import GLOBAL, PHOTO, SIZES, build
from benchmarks.options import number
from benchmarks.products import operations

if TYPE_CHECKING:
    import torch

    from fourm.transformer import FM

BATCHES = (1, 8, 32, 128, 256)
DTYPES = ("bfloat16", "float16", "float32")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    import torch

    chosen = _options(arguments)
    device = torch.device(chosen.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("error: CUDA is not available; use --device cpu for a test run", file=sys.stderr)
        return 2
    rows = []
    with torch.inference_mode():
        for size in chosen.size or ["B", "L", "XL"]:
            rows += measure(size, device, chosen)
    on_gpu = device.type == "cuda"
    setting = {
        "chip": torch.cuda.get_device_name(device) if on_gpu else "CPU, not a GPU",
        "CUDA": torch.version.cuda if on_gpu else None,
        "dtype": chosen.dtype,
        "rounds": chosen.rounds,
    }
    report("gpu", setting, rows)
    return 0


def measure(size: str, device: torch.device, chosen: argparse.Namespace) -> list[Row]:
    """Two rows per batch size and mode: photos per second, and the share."""
    import torch

    dtype: torch.dtype = getattr(torch, chosen.dtype)
    model = weighted(size, device, dtype)
    vocabulary = model.config.modalities[GLOBAL].vocabulary
    teraflops = operations(model, vocabulary) / 1e12
    ways: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {}
    if chosen.compile in ("off", "both"):
        ways["eager"] = partial(predict, model)
    if chosen.compile in ("on", "both"):
        ways["compiled"] = torch.compile(partial(predict, model))
    rows = []
    for batch in chosen.batch_size or BATCHES:
        photos = torch.randn(batch, 3, 224, 224, device=device, dtype=dtype)
        rates = {
            way: partial(_rate, partial(run, photos), batch, chosen.repeats, device)
            for way, run in ways.items()
        }
        product = partial(matrix_rate, device, dtype)
        try:
            for rate in rates.values():  # compiles, and fills caches
                rate()
            product()
            measured = in_turns({**rates, "product": product}, chosen.rounds)
        except torch.cuda.OutOfMemoryError:
            print(f"{size}, batch {batch}: not enough memory", file=sys.stderr)
            break
        for way in ways:
            name = f"{size}, batch {batch}, {way}"
            rows.append(Row(name, statistics.median(measured[way]), "photos/s"))
            reached = [rate * teraflops for rate in measured[way]]
            peaks = measured["product"]
            rows.append(
                Row(
                    f"{name}: products",
                    statistics.median(reached),
                    "TFLOP/s",
                    statistics.median(peaks),
                    "one large product",
                    statistics.median(a / b for a, b in zip(reached, peaks, strict=True)),
                )
            )
    return rows


def weighted(size: str, device: torch.device, dtype: torch.dtype) -> FM:
    """A model with random weights, created on the device, with products in a dtype."""
    import torch

    from fourm.transformer.precision import product_dtypes

    torch.manual_seed(0)
    with device:
        model = build(size, [PHOTO], [GLOBAL]).requires_grad_(False)
    for name in product_dtypes(model, dtype):
        parameter = model.get_parameter(name)
        parameter.data = parameter.to(dtype)
    return model


def predict(model: FM, photos: torch.Tensor) -> torch.Tensor:
    """The most likely tokens (B, 16) of photos (B, 3, 224, 224)."""
    from fourm.transformer.embeddings import ModalityInput

    encoded = model.encode({PHOTO: ModalityInput(photos)})
    return model.decode_logits(encoded, GLOBAL).argmax(dim=-1)


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """TFLOP/s of one large matrix product."""
    import torch

    side = 8192 if device.type == "cuda" else 512
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    rate = _rate(lambda: left @ right, 1, 20 if device.type == "cuda" else 3, device)
    return rate * 2 * side**3 / 1e12


def _rate(work: Callable[[], object], each: int, repeats: int, device: torch.device) -> float:
    """Items per second if `work`, repeated without synchronising, does `each` of them."""
    import torch

    def run() -> None:
        for _ in range(repeats):
            work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return repeats * each / seconds(run)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--size", action="append", choices=SIZES, help="default: B, L and XL")
    options.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options.add_argument("--dtype", choices=DTYPES, default="bfloat16")
    options.add_argument(
        "--batch-size", action="append", type=number(), help=f"repeatable (default: {BATCHES})"
    )
    options.add_argument("--compile", choices=("off", "on", "both"), default="both")
    options.add_argument(
        "--repeats", type=number(), default=10, help="passes per measurement (default: 10)"
    )
    options.add_argument("--rounds", type=number(), default=5, help="repeats of each (default: 5)")
    return options.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
