"""Options that benchmarks share, and loading the model that they name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fourm import Model


def number(most: int = 4096) -> Callable[[str], int]:
    """The type of an option that is a whole number from 1 to `most`; else the exit code is 2."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be 1 to {most}, not {text}")
        return int(text)

    return read


def parse(description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line of `indexing` or `query`: one for both, as `-m benchmarks` has it."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--rounds", type=number(), default=5, help="repeats of each (default: 5)")
    parser.add_argument("--batch-size", type=number(), default=32, help="indexing: default 32")
    parser.add_argument("--photos", help="indexing: folder of photos (default: made-up ones)")
    parser.add_argument(
        "--count", type=number(1_000_000), default=256, help="indexing: photos (default: 256)"
    )
    parser.add_argument(
        "--pictures",
        type=number(100_000_000),
        default=10_000,
        help="query: pictures in the index (default: 10000)",
    )
    parser.add_argument(
        "--queries", type=number(), default=30, help="query: queries in a round (default: 30)"
    )
    return parser.parse_args(arguments)


def load(options: argparse.Namespace) -> Model:
    """The model; one line and exit code 2 if it cannot be loaded."""
    from fourm import FourmError, load_4m

    try:
        return load_4m(options.model, dtype=options.dtype)
    except FourmError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
