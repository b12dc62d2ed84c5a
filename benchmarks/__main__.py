"""`python -m benchmarks`: speed of indexing and querying with mini; both take the same options.

The others are run by name: `benchmarks.official_size`, `spaces`, `captioning` and `gpu` for speed,
`versions` for a model and a former version of it, `precision` for what a lower dtype changes,
`reducing` for what reducing large photos does, `filters` for searches under a filter, `quality`,
`combining` and `panoramas` for recall.
"""

import sys

from benchmarks import indexing, query

if __name__ == "__main__":
    sys.exit(indexing.main() or query.main())
