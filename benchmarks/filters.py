"""A search under a filter, compared with FAISS's IDSelector and with gather-and-multiply.

    python -m benchmarks.filters [COUNT [DIM]]

The vectors are random. Times are the least of several runs, in milliseconds of one processor.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from indexes import Index, Recipe, Record
from indexes.conditions import Compare, Like
from indexes.nearest import Nearest

K = 10
SHARES = (0.001, 0.01, 0.1, 0.5)
RUNS = 7


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    faiss: Any = import_module("faiss")
    given = sys.argv[1:] if arguments is None else arguments
    count, dim = (int(given[0]) if given else 100_000, int(given[1]) if len(given) > 1 else 384)
    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((count, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    query = vectors[:1]
    ids = np.arange(1, count + 1)
    nearest = Nearest.build(dim, [(ids, vectors)])
    flat = faiss.IndexFlatIP(dim)
    flat.add(vectors)
    print(f"{count} x {dim}; ms of one processor; all items: ", end="")
    print(f"{_least(partial(nearest.search, query, K)):.2f}")
    print("share  items    ours  IDSelector  gather")
    for share in SHARES:
        rows = np.sort(rng.choice(count, max(K, int(share * count)), replace=False))
        _, found, _ = nearest.search(query, K, rows + 1)
        expected = rows[np.argsort(-(vectors[rows] @ query[0]), kind="stable")[:K]] + 1
        assert set(found[0]) == set(expected), "recall is not 1"
        times = (
            _least(partial(nearest.search, query, K, rows + 1)),
            _least(partial(_selected, flat, query, rows)),
            _least(partial(_gathered, vectors, query, rows)),
        )
        print(f"{share:5.1%}  {len(rows):6}  {times[0]:6.2f}  {times[1]:10.2f}  {times[2]:6.2f}")
    _whole(min(count, 20_000))
    return 0


def _selected(flat: Any, query: np.ndarray, rows: np.ndarray) -> None:
    faiss: Any = import_module("faiss")
    bits = np.zeros(flat.ntotal, dtype=bool)
    bits[rows] = True
    selector = faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
    flat.search(query, K, params=faiss.SearchParameters(sel=selector))


def _gathered(vectors: np.ndarray, query: np.ndarray, rows: np.ndarray) -> None:
    scores = vectors[rows] @ query[0]
    best = np.argpartition(-scores, K - 1)[:K]
    best[np.argsort(-scores[best])]


def _whole(count: int) -> None:
    """The time that SQLite takes to evaluate conditions."""
    vector = np.eye(1, 4, dtype=np.float32)[0]
    with tempfile.TemporaryDirectory() as folder:
        recipe = Recipe(model="m", fingerprint="f", space="s", dim=4, preprocessing="p")
        with Index.create(Path(folder) / "i", root=folder, recipe=recipe) as index:
            index.write(
                [
                    Record(
                        path=f"trips/{number % 100}/IMG_{number}.jpg",
                        size=number,
                        mtime_ns=0,
                        width=number + 1,
                        height=1,
                        vectors={"s": vector},
                    )
                    for number in range(count)
                ]
            )
            for name, condition in (
                ("number", Compare("width", "<=", count // 100)),
                ("like", Like("path", "trips/7/%")),
            ):
                taken = _least(partial(index.select, condition))
                print(f"the condition on a {name}, {count} items: {taken:.1f} ms")


def _least(work: Callable[[], object]) -> float:
    """Milliseconds of the quickest run."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * min(times)


if __name__ == "__main__":
    sys.exit(main())
