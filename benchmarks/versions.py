"""A model compared with a former version of it: indexing, and the model's time for a text.

    python -m benchmarks.versions FORMER [--model mini]

FORMER is a folder, for example `fourm/weights/mini` of an earlier release. Both embed in the spaces
of a new index, and a text in those of a search by default; they take turns.
Of the model alone, processor time is measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.indexing import gather, open_image
from benchmarks.measuring import Row, compared, in_turns, processor_seconds, report, seconds
from benchmarks.options import number

if TYPE_CHECKING:
    from fourm import Model

TEXT = "two dogs running in the snow"
SLOWEST_INDEXING = 0.95
SLOWEST_TEXT = 1.3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("former", help="folder of the former version")
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--rounds", type=number(), default=7, help="repeats (default: 7)")
    parser.add_argument("--count", type=number(), default=64, help="photos (default: 64)")
    parser.add_argument("--queries", type=number(), default=30, help="texts (default: 30)")
    chosen = parser.parse_args(arguments)
    from fourm import FourmError, load_4m

    try:
        former, now = (load_4m(one, dtype=chosen.dtype) for one in (chosen.former, chosen.model))
    except FourmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    rows = measure(former, now, chosen.count, chosen.queries, chosen.rounds)
    setting = {
        "model": now.name,
        "dtype": str(now.dtype).removeprefix("torch."),
        "photos": chosen.count,
        "queries": chosen.queries,
        "rounds": chosen.rounds,
    }
    report("versions", setting, rows)
    return 0


def measure(former: Model, now: Model, photos: int, queries: int, rounds: int) -> list[Row]:
    """Rows of the table; the former version is the baseline."""
    with tempfile.TemporaryDirectory(prefix="fourm-benchmark-") as name:
        work = Path(name)
        files = gather(None, photos, work / "photos")
        contenders: dict[str, Callable[[], float]] = {}
        for which, model in (("former", former), ("now", now)):
            contenders[f"build, {which}"] = partial(_photos_per_second, model, files, work)
            contenders[f"photo, {which}"] = partial(_photo_milliseconds, model, files)
            contenders[f"text, {which}"] = partial(_text_milliseconds, model, queries)
        for contender in contenders.values():
            contender()  # weights are read by first use
        measured = in_turns(contenders, rounds)
    return [
        compared(
            "Gallery.build",
            measured["build, now"],
            "photos/s",
            "former",
            measured["build, former"],
            target=f"at least {SLOWEST_INDEXING:g}",
            least=SLOWEST_INDEXING,
        ),
        compared(
            "a photo, the model alone",
            measured["photo, now"],
            "ms",
            "former",
            measured["photo, former"],
            target=f"at most {1 / SLOWEST_INDEXING:.3g}",
            most=1 / SLOWEST_INDEXING,
        ),
        compared(
            "a text, the model alone",
            measured["text, now"],
            "ms",
            "former",
            measured["text, former"],
            target=f"at most {SLOWEST_TEXT:g}",
            most=SLOWEST_TEXT,
        ),
    ]


def _photos_per_second(model: Model, files: list[Path], work: Path) -> float:
    from retrieval import Gallery

    def build(target: Path) -> None:
        with Gallery.build(files[0].parent, to=target, model=model):
            pass

    with tempfile.TemporaryDirectory(dir=work) as name:
        return len(files) / seconds(lambda: build(Path(name) / "x.index"))


def _photo_milliseconds(model: Model, files: list[Path]) -> float:
    from retrieval.model import default_spaces

    prepared = [model.prepare({"image": open_image(file)}) for file in files]
    spaces = default_spaces(model)
    taken = processor_seconds(lambda: model.embed_spaces(prepared, spaces=spaces))
    return 1000 * taken / len(files)


def _text_milliseconds(model: Model, queries: int) -> float:
    from fourm.embedder import spaces_for

    spaces = tuple(spaces_for(model, {"text"}))

    def embed() -> None:
        model.embed_spaces([model.prepare({"text": TEXT})], spaces=spaces)

    return 1000 * statistics.median(processor_seconds(embed) for _ in range(queries))


if __name__ == "__main__":
    raise SystemExit(main())
