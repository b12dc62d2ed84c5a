"""Both benchmarks: `python -m benchmarks`, with the options of either."""

import sys

from benchmarks import indexing, query

if __name__ == "__main__":
    sys.exit(indexing.main() or query.main())
