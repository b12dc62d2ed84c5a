"""How well queries find their photos: `python -m benchmarks.quality DATA`.

Every line is one run of `fourm eval` on an index of photos that training has not seen; the file
names are printed, so that each can be repeated alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.quality_sets import JudgedSet, make
from fourm import FourmError
from indexes import IndexesError
from retrieval import Gallery, RetrievalError
from retrieval.evaluation import Evaluation, evaluate, read_queries


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the sets, index the photos, run the queries, print a table and JSON."""
    options = parse("Recall of every kind of query.", arguments)
    return run(options, make(Path(options.data), Path(options.out)))


def run(options: argparse.Namespace, sets: Iterable[JudgedSet]) -> int:
    """Measure the sets, those that `options` ask for; what goes wrong is one line."""
    try:
        for judged, result in _results(options, sets):
            print(_row(judged, result), flush=True)
            print(json.dumps({"queries_file": str(judged.queries), **result.as_dict()}))
    except (FourmError, IndexesError, RetrievalError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _results(
    options: argparse.Namespace, sets: Iterable[JudgedSet]
) -> Iterator[tuple[JudgedSet, Evaluation]]:
    from fourm import load_model

    model = load_model(options.model, dtype=options.dtype)
    for judged in sets:
        if options.only and judged.queries.stem not in options.only:
            continue
        index = Path(options.out) / f"{judged.gallery.name}-{options.label}.index"
        with Gallery.build(judged.gallery, index, model, progress=True) as gallery:
            yield judged, evaluate(gallery, read_queries(judged.queries), progress=True)


def _row(judged: JudgedSet, result: Evaluation) -> str:
    """A line of a table: recall and precision@10 in %, and what chance would give at 10."""
    recall = " | ".join(f"{100 * share:.1f}" for share in result.recall.values())
    chance = 100 * 10 / result.pictures
    return (
        f"| {judged.title} | {result.queries} | {recall} | {result.median_rank:g} | "
        f"{result.mean_average_precision:.3f} | {100 * result.precision:.1f} | {chance:.1f} |"
    )


def parse(description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", help="folder with flickr8k and coco_panoptic")
    parser.add_argument("--out", default="training-run/quality", help="where sets and indexes go")
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--label", default="mini", help="part of the names of the indexes")
    parser.add_argument("--only", action="append", help="stem of one query file; repeatable")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
