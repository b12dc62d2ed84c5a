"""How well queries find their photos: `python -m benchmarks.quality DATA`.

Every line is one run of `fourm eval` on an index of photos that training has not seen; the file
names are printed, so that each can be repeated alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.quality_sets import JudgedSet, make
from fourm import FourmError
from indexes import IndexesError
from retrieval import Gallery, RetrievalError
from retrieval.evaluation import Evaluation, evaluate, read_queries


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the sets, index the photos, run the queries, print a table and JSON."""
    options = _options(arguments)
    try:
        for judged, result in _results(options):
            print(_row(judged, result), flush=True)
            print(json.dumps({"queries_file": str(judged.queries), **result.as_dict()}))
    except (FourmError, IndexesError, RetrievalError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _results(options: argparse.Namespace) -> Iterator[tuple[JudgedSet, Evaluation]]:
    out = Path(options.out)
    for judged in make(Path(options.data), out):
        if options.only and judged.queries.stem not in options.only:
            continue
        index = out / f"{judged.gallery.name}-{options.label}.index"
        with Gallery.build(
            judged.gallery, index, options.model, dtype=options.dtype, progress=True
        ) as gallery:
            yield judged, evaluate(gallery, read_queries(judged.queries), progress=True)


def _row(judged: JudgedSet, result: Evaluation) -> str:
    """A line of the README's table: recall in %, and what chance would give at 10."""
    recall = " | ".join(f"{100 * share:.1f}" for share in result.recall.values())
    chance = 100 * 10 / result.pictures
    return (
        f"| {judged.title} | {result.queries} | {recall} | {result.median_rank:g} | "
        f"{result.mean_average_precision:.3f} | {chance:.1f} |"
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Recall of every kind of query.")
    parser.add_argument("data", help="folder with flickr8k and coco_panoptic")
    parser.add_argument("--out", default="training-run/quality", help="where sets and indexes go")
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--label", default="mini", help="part of the names of the indexes")
    parser.add_argument("--only", action="append", help="stem of one query file; repeatable")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
