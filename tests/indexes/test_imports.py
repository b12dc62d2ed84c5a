"""The storage room stands alone, and does not load what it does not need."""

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


def test_opening_and_listing_loads_neither_a_model_nor_the_vector_engine():
    done = run_python(LISTING)
    assert done.stdout.strip() == "[]", done.stderr
