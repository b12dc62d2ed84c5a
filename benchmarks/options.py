"""Options that both benchmarks share, and loading the model that they name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fourm import Model


def parser(description: str) -> argparse.ArgumentParser:
    """A parser with the options of both benchmarks, so that `python -m benchmarks` takes all."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--rounds", type=int, default=5, help="repeats of each (default: 5)")
    parser.add_argument("--batch-size", type=int, default=32, help="indexing: default 32")
    parser.add_argument("--photos", help="indexing: folder of photos (default: made-up ones)")
    parser.add_argument("--count", type=int, default=256, help="indexing: photos (default: 256)")
    parser.add_argument(
        "--pictures", type=int, default=10_000, help="query: pictures in the index (default: 10000)"
    )
    parser.add_argument(
        "--queries", type=int, default=30, help="query: queries in a round (default: 30)"
    )
    return parser


def parse(description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; numbers below 1 end with exit code 2."""
    options = parser(description)
    chosen = options.parse_args(arguments)
    for name in ("rounds", "batch_size", "count", "pictures", "queries"):
        if getattr(chosen, name) < 1:
            options.error(f"--{name.replace('_', '-')} must be at least 1")
    return chosen


def load(options: argparse.Namespace) -> Model:
    """The model; one line and exit code 2 if it cannot be loaded."""
    from fourm import FourmError, load_4m

    try:
        return load_4m(options.model, dtype=options.dtype)
    except FourmError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
