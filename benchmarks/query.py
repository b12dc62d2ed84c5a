"""Milliseconds per query, warm and in a fresh process, compared with FAISS and the model alone."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import options
from benchmarks.measuring import Row, compared, in_turns, report, seconds

if TYPE_CHECKING:
    from fourm import Model
    from retrieval import Gallery

K = 10
TEXT = "two dogs running in the snow"
TARGET_MS = 5.0


class TimedModel:
    """A wrapper of a model that adds up the time spent in it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def prepare(self, inputs: Mapping[str, Any]) -> Any:
        """`Model.prepare`, timed."""
        return self._timed(lambda: self._model.prepare(inputs))

    def embed(self, prepared: Sequence[Any], /, *, space: str) -> Any:
        """`Model.embed`, timed."""
        return self._timed(lambda: self._model.embed(prepared, space=space))

    def embed_spaces(self, prepared: Sequence[Any], /, *, spaces: Sequence[str]) -> Any:
        """`Model.embed_spaces`, timed."""
        return self._timed(lambda: self._model.embed_spaces(prepared, spaces=spaces))

    def _timed(self, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds += time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    from retrieval import Gallery

    chosen = options.parse(__doc__ or "", arguments)
    model = TimedModel(options.load(chosen))
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as name:
        folder = Path(name) / "random.index"
        make_index(folder, model, chosen.images)
        with Gallery.open(folder, model=model) as gallery:
            rows = warm(gallery, model, folder, chosen.queries, chosen.rounds)
        rows += cold(folder, chosen.model, chosen.dtype, chosen.rounds)
    setting = {
        "model": model.name,
        "dtype": str(model.dtype).removeprefix("torch."),
        "images": chosen.images,
        "k": K,
        "queries": chosen.queries,
        "rounds": chosen.rounds,
    }
    report("query", setting, rows)
    return 0


def make_index(folder: Path, model: Any, images: int) -> None:
    """Create an index of random unit vectors; search time does not depend on their values."""
    from fourm.vectors import unit_rows
    from indexes import Index, Record
    from retrieval.model import default_spaces, recipe_of

    recipes = [recipe_of(model, space) for space in default_spaces(model)]
    random = np.random.default_rng(0)
    with Index.create(folder, root=folder.parent, recipe=recipes) as index, index.lock():
        for start in range(0, images, 1000):
            numbers = range(start, min(start + 1000, images))
            drawn = {
                one.space: unit_rows(
                    random.standard_normal((len(numbers), one.dim)).astype(np.float32)
                )
                for one in recipes
            }
            index.write(
                [
                    Record(
                        path=f"{number // 100}/{number}.jpg",
                        size=90_000,
                        mtime_ns=number,
                        content_hash=f"{number:064x}",
                        width=500,
                        height=375,
                        vectors={space: rows[number - start] for space, rows in drawn.items()},
                    )
                    for number in numbers
                ]
            )
        index.publish()


def warm(gallery: Gallery, model: TimedModel, folder: Path, queries: int, rounds: int) -> list[Row]:
    """Queries by text, image, map and all three in this process, with everything loaded."""
    import faiss

    from fourm.embedder import spaces_for

    raw = faiss.read_index(str(folder / "vectors-1.faiss"))
    vector = gallery.index.vectors([1])
    given = {name: value for name, value in _inputs().items() if name in model.inputs}
    asked: dict[str, dict[str, Any]] = {name: {name: value} for name, value in given.items()}
    if len(given) > 1:
        asked[" + ".join(given)] = given

    def milliseconds(work: Callable[[], Any]) -> float:
        return 1000 * statistics.median(seconds(work) for _ in range(queries))

    def total(inputs: dict[str, Any]) -> float:
        return milliseconds(lambda: gallery.search(k=K, **inputs))

    def outside(inputs: dict[str, Any]) -> float:
        times = []
        for _ in range(queries):
            model.seconds = 0.0
            times.append(seconds(lambda: gallery.search(k=K, **inputs)) - model.seconds)
        return 1000 * statistics.median(times)

    def only_model(inputs: dict[str, Any]) -> float:
        return milliseconds(
            lambda: model.embed_spaces(
                [model.prepare(inputs)], spaces=tuple(spaces_for(gallery.model, inputs))
            )
        )

    def stored() -> None:
        gallery.index.search(vector, K)

    contenders: dict[str, Callable[[], float]] = {
        "faiss": lambda: milliseconds(lambda: raw.search(vector, K)),
        "stored": lambda: milliseconds(stored),
    }
    for name, inputs in asked.items():
        gallery.search(k=K, **inputs)  # weights are read by first use
        contenders[f"{name}, total"] = partial(total, inputs)
        contenders[f"{name}, model"] = partial(only_model, inputs)
        contenders[f"{name}, outside"] = partial(outside, inputs)
    measured = in_turns(contenders, rounds)

    rows = [compared("Index.search", measured["stored"], "ms", "raw FAISS", measured["faiss"])]
    for name in asked:
        rows.append(
            compared(
                f"warm query: {name}",
                measured[f"{name}, total"],
                "ms",
                "the model alone",
                measured[f"{name}, model"],
            )
        )
        outside_ms = measured[f"{name}, outside"]
        rows.append(
            replace(
                compared(
                    "  of it outside the model", outside_ms, "ms", "raw FAISS", measured["faiss"]
                ),
                target=f"at most {TARGET_MS:g} ms",
                reached=statistics.median(outside_ms) <= TARGET_MS,
            )
        )
    return rows


_OURS = """
import sys
from retrieval import Gallery
folder, model, dtype, text, k = sys.argv[1:]
with Gallery.open(folder, model=model, dtype=dtype) as gallery:
    assert gallery.search(text=text, k=int(k))
"""

_BARE = """
import sys
import faiss
from fourm import load_model
from fourm.embedder import spaces_for
folder, name, dtype, text, k = sys.argv[1:]
model = load_model(name, dtype=dtype)
spaces = tuple(spaces_for(model, {"text"}))
vectors = model.embed_spaces([model.prepare({"text": text})], spaces=spaces)
for space, found in vectors.items():
    number = 1 + list(model.spaces).index(space)
    faiss.read_index(f"{folder}/vectors-{number}.faiss").search(found, int(k))
"""


def cold(folder: Path, model: str, dtype: str, rounds: int) -> list[Row]:
    """A process for one text query, compared with a script that uses the model and FAISS alone."""

    def process(script: str) -> float:
        arguments = [str(folder), model, dtype, TEXT, str(K)]
        command = [sys.executable, "-c", script, *arguments]
        repository = Path(__file__).parents[1]
        return 1000 * seconds(lambda: subprocess.run(command, check=True, cwd=repository))

    measured = in_turns({"bare": lambda: process(_BARE), "ours": lambda: process(_OURS)}, rounds)
    return [
        compared("cold process: text", measured["ours"], "ms", "model + FAISS", measured["bare"])
    ]


def _inputs() -> dict[str, Any]:
    """A text, an image of a photo's size and a map of sky above grass."""
    image = np.random.default_rng(1).integers(0, 256, (375, 500, 3), dtype=np.uint8)
    layout = np.full((375, 500), 187, dtype=np.int64)  # sky-other-merged
    layout[200:] = 193  # grass-merged
    return {"text": TEXT, "image": image, "seg": layout}


if __name__ == "__main__":
    raise SystemExit(main())
