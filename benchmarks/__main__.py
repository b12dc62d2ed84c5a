"""`python -m benchmarks`: indexing and querying with mini, with the options of either.

The others are run by their names: `benchmarks.official_size`, `spaces`, `captioning`, `gpu` for
speed, `quality` and `combining` for recall.
"""

import sys

from benchmarks import indexing, query

if __name__ == "__main__":
    sys.exit(indexing.main() or query.main())
