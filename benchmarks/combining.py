"""Recall of the ways to combine inputs: `python -m benchmarks.combining DATA`.

It shares the photos and indexes of `benchmarks.quality`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import quality
from benchmarks.combining_sets import make


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sets, index the photos, run the queries, print a table and JSON."""
    return quality.run(quality.parse("Combined inputs and negative texts.", arguments), make)


if __name__ == "__main__":
    sys.exit(main())
