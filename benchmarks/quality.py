"""How well queries find their photos: `python -m benchmarks.quality DATA`.

Each line is one run of `fourm eval` on an index of photos that mini was not trained on. The names
of the query files are printed, so that each can be repeated alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks import quality_mixed, quality_sets
from benchmarks.quality_sets import JudgedSet
from fourm import FourmError
from indexes import IndexesError
from recipes.mini.data import TrainingData
from recipes.mini.flickr8k_coco import Flickr8kCoco
from retrieval import Gallery, RetrievalError
from retrieval.evaluation import Evaluation, evaluate, read_queries


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sets, index the photos, run the queries, print a table and JSON."""
    return run(parse("Recall of all query modalities.", arguments), make)


def make(data: TrainingData, out: Path) -> list[JudgedSet]:
    """Sets on photos of Flickr8k and COCO, and those on photos of all sources."""
    return [*quality_sets.make(data, out), *quality_mixed.make(data, out)]


def run(
    options: argparse.Namespace, make_sets: Callable[[TrainingData, Path], list[JudgedSet]]
) -> int:
    """Measure the sets that `options` select and return the exit code; errors are one line."""
    try:
        sets = make_sets(Flickr8kCoco(Path(options.data)), Path(options.out))
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
    """A line of a table: recall and precision@10 in %, and recall@10 by chance."""
    recall = " | ".join(f"{100 * share:.1f}" for share in result.recall.values())
    chance = 100 * 10 / result.items
    return (
        f"| {judged.title} | {result.queries} | {recall} | {result.median_rank:g} | "
        f"{result.mean_average_precision:.3f} | {100 * result.precision:.1f} | {chance:.1f} |"
    )


def parse(description: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", help="folder with flickr8k, coco_panoptic, ccp and camvid")
    parser.add_argument("--out", default="training-run/quality", help="folder for sets and indexes")
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")
    parser.add_argument("--label", default="mini", help="suffix of the names of the indexes")
    parser.add_argument("--only", action="append", help="stem of a query file to run; repeatable")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
