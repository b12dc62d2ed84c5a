"""Options that benchmarks share, and loading the model that they select."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fourm import Model


def number(most: int = 4096) -> Callable[[str], int]:
    """Type of an option: an integer from 1 to `most`; anything else exits with code 2."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be an integer from 1 to {most}, got {text}")
        return int(text)

    return read


def parse(description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line that `indexing`, `query` and `python -m benchmarks` share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--rounds", type=number(), default=5, help="repeats of each (default: 5)")
    parser.add_argument("--batch-size", type=number(), default=32, help="indexing: default 32")
    parser.add_argument("--photos", help="indexing: folder of photos (default: synthetic)")
    parser.add_argument(
        "--count", type=number(1_000_000), default=256, help="indexing: photos (default: 256)"
    )
    parser.add_argument(
        "--images",
        type=number(100_000_000),
        default=10_000,
        help="query: images in the index (default: 10000)",
    )
    parser.add_argument(
        "--queries", type=number(), default=30, help="query: queries per round (default: 30)"
    )
    return parser.parse_args(arguments)


def load(options: argparse.Namespace) -> Model:
    """Load the model; print one line and exit with code 2 if that fails."""
    from fourm import FourmError, load_4m

    try:
        return load_4m(options.model, dtype=options.dtype)
    except FourmError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
