"""The storage room stands alone, and does not load what it does not need."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

LISTING = """
import sys, tempfile
from indexes import Index, Recipe
recipe = Recipe(model="m", fingerprint="f", space="s", dim=4, preprocessing="p")
with tempfile.TemporaryDirectory() as folder:
    with Index.create(folder + "/x", root="/", recipe=recipe) as index:
        index.counts(), index.known(), index.skipped()
print(sorted({"torch", "faiss", "fourm", "retrieval", "cli", "PIL"} & set(sys.modules)))
"""


def test_opening_and_listing_loads_neither_a_model_nor_the_vector_engine():
    done = subprocess.run(
        [sys.executable, "-c", LISTING], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr
