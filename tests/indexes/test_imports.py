"""The package loads only what it needs."""

from tests.processes import run_python

LISTING = """
import sys, tempfile
from indexes import Index, Recipe
recipe = Recipe(model="m", fingerprint="f", space="s", dim=4, preprocessing="p")
with tempfile.TemporaryDirectory() as folder:
    with Index.create(folder + "/x", root="/", recipe=recipe) as index:
        index.counts(), index.snapshot(), index.skipped()
print(sorted({"torch", "faiss", "fourm", "retrieval", "cli", "PIL"} & set(sys.modules)))
"""


def test_opening_and_listing_loads_neither_torch_nor_faiss():
    done = run_python(LISTING)
    assert done.stdout.strip() == "[]", done.stderr
