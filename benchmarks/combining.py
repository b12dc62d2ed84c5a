"""Which way of combining inputs finds more: `python -m benchmarks.combining DATA`.

Every line is one run of `fourm eval`, as in `benchmarks.quality`, whose photos and indexes it
shares.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import quality
from benchmarks.combining_sets import make


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the sets, index the photos, run the queries, print a table and JSON."""
    options = quality.parse("The three ways of combining inputs, and negatives.", arguments)
    return quality.run(options, make(Path(options.data), Path(options.out)))


if __name__ == "__main__":
    sys.exit(main())
