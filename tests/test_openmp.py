"""torch and faiss each bring an OpenMP runtime: together, in both orders, both must work."""

import os

import pytest

from tests.processes import run_python

# Whole numbers below 2**24: float32 products are exact, in whatever order threads add them up.
BOTH = """
import sys
from concurrent.futures import ThreadPoolExecutor

for name in sys.argv[1:]:
    __import__(name)
import faiss, numpy, torch

torch.set_num_threads(4)
faiss.omp_set_num_threads(4)
assert torch.get_num_threads() == 4 and faiss.omp_get_max_threads() == 4

random = numpy.random.default_rng(0)
left = random.integers(-20, 20, (600, 700)).astype(numpy.float32)
right = random.integers(-20, 20, (700, 500)).astype(numpy.float32)
product = left.astype(numpy.int64) @ right.astype(numpy.int64)

vectors = random.standard_normal((8000, 48)).astype(numpy.float32)
vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
index = faiss.IndexIDMap2(faiss.IndexFlatIP(48))
index.add_with_ids(vectors, numpy.arange(8000) + 1)

def multiply(_):
    result = torch.from_numpy(left) @ torch.from_numpy(right)
    return bool((result.numpy() == product).all())

def search(start):
    rows = numpy.arange(start, start + 256)
    # Few queries and many take different ways through FAISS.
    alone, first = index.search(vectors[start : start + 1], 3)
    scores, ids = index.search(vectors[rows], 3)
    return bool(
        (ids[:, 0] == rows + 1).all()
        and numpy.abs(scores[:, 0] - 1).max() < 1e-5
        and first[0, 0] == start + 1
        and abs(alone[0, 0] - 1) < 1e-5
    )

for turn in range(3):
    assert multiply(turn), "matmul alone"
    assert search(turn), "search alone"
with ThreadPoolExecutor(4) as pool:
    products = pool.map(multiply, range(20))
    searches = pool.map(search, range(0, 5000, 250))
    assert all(products), "matmul while searching"
    assert all(searches), "search while multiplying"
print("both right")
"""


@pytest.mark.parametrize("order", [("torch", "faiss"), ("faiss", "torch")], ids=" then ".join)
def test_both_compute_right_with_several_threads_in_one_process(order):
    # Without the settings that would serialise the runtimes, or silence their complaint.
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OMP_", "KMP_", "MKL_"))
    }
    done = run_python(BOTH, *order, env=env)
    assert (done.returncode, done.stdout.strip()) == (0, "both right"), done.stderr
