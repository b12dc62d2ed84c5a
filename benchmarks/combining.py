"""Recall of the ways to combine inputs: `python -m benchmarks.combining DATA`.

It shares the photos and indexes of `benchmarks.quality`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

from benchmarks import quality, quality_sets
from benchmarks.quality_sets import JudgedSet
from recipes.mini.data import TrainingData, rows_of

SHARES = (0.25, 0.5, 1.0)
"""Weights of a map combined with text of weight 1, and of text with a photo of weight 1."""

ALTERED = 300
"""Number of queries by altered photos, which are slow."""

NEGATIVE_WEIGHTS = (0.25, 0.5, 1.0)
"""Weights of the negative text."""

WORDS = (
    *("dog", "man", "woman", "boy", "girl", "child", "people", "ball", "bike", "car", "hat"),
    *("water", "snow", "grass", "beach", "street", "rock", "mountain", "tree", "field", "wall"),
)
LEAST_WANTED, LEAST_UNWANTED = 20, 10
"""Minimum number of photos with the one thing alone, and with both."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the sets, index the photos, run the queries, print a table and JSON."""
    return quality.run(quality.parse("Combined inputs and negative texts.", arguments), make)


def make(data: TrainingData, out: Path) -> list[JudgedSet]:
    """Write the query files next to those of `quality_sets.make`; they are reproducible."""
    basic = {judged.queries.stem: judged for judged in quality_sets.make(data, out)}
    maps = {f"{way}, map {share:g}": _weighed(way, seg=share) for way, share in _ways()}
    texts = {f"{way}, text {share:g}": _weighed(way, text=share) for way, share in _ways()}
    return [
        *_negatives(data, out, basic["captions"].gallery),
        *_variants(basic["altered-much"], {"alone": {}}, ALTERED),
        *_variants(basic["altered-and-captions"], {"together": {}, **texts}, ALTERED),
        basic["first-captions"],
        basic["instance-maps"],
        basic["captions-and-maps"],
        *_variants(basic["captions-and-maps"], maps),
    ]


def _ways() -> list[tuple[str, float]]:
    return [(way, share) for way in ("guided", "late") for share in SHARES]


def _weighed(way: str, **weights: float) -> dict[str, Any]:
    return {"combine": way, "weights": weights}


def _variants(
    judged: JudgedSet, ways: Mapping[str, Mapping[str, Any]], most: int | None = None
) -> list[JudgedSet]:
    """The first `most` queries with further keys."""
    lines = judged.queries.read_text(encoding="utf-8").splitlines()[:most]
    rows = [json.loads(line) for line in lines]
    return [
        JudgedSet(
            f"{judged.title}: {name}",
            judged.gallery,
            quality_sets.write(_named(judged.queries, name), [{**row, **keys} for row in rows]),
        )
        for name, keys in ways.items()
    ]


def _negatives(data: TrainingData, out: Path, gallery: Path) -> list[JudgedSet]:
    """Queries for one thing without another: "dog", not "water".

    Each method is judged twice: by the photos whose captions name the one and never the other,
    which should be found, and by those whose captions name both, which should not.
    """
    photos = [data.captioned[row] for row in rows_of(data.captioned, "dev")]
    shown = {word: {p.path.name for p in photos if _names(p.captions, word)} for word in WORDS}
    pairs = [
        (wanted, unwanted)
        for wanted, unwanted in permutations(WORDS, 2)
        if len(shown[wanted] - shown[unwanted]) >= LEAST_WANTED
        and len(shown[wanted] & shown[unwanted]) >= LEAST_UNWANTED
    ]
    ways: dict[str, Any] = {
        "text": lambda wanted, unwanted: {"text": wanted},
        "a sentence with 'without'": lambda wanted, unwanted: {
            "text": f"{wanted} without {unwanted}"
        },
    }
    for way in ("guided", "late"):
        for weight in NEGATIVE_WEIGHTS:
            ways[f"{way}, negative weight {weight:g}"] = _negative(way, weight)
    found = []
    for name, query in ways.items():
        for judged_by, relevant in (("wanted", set.difference), ("unwanted", set.intersection)):
            rows = [
                {**query(one, other), "relevant": sorted(relevant(shown[one], shown[other]))}
                for one, other in pairs
            ]
            path = _named(out / "one-not-other.jsonl", f"{name}, {judged_by}")
            title = f"one thing, not another ({len(pairs)} pairs): {name}: {judged_by}"
            found.append(JudgedSet(title, gallery, quality_sets.write(path, rows)))
    return found


def _negative(way: str, weight: float) -> Any:
    return lambda wanted, unwanted: {
        "text": wanted,
        "not": unwanted,
        **_weighed(way, **{"not": weight}),
    }


def _names(captions: tuple[str, ...], word: str) -> bool:
    pattern = re.compile(rf"\b{word}(s|es|ren)?\b", re.IGNORECASE)
    return any(pattern.search(caption) for caption in captions)


def _named(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}-{re.sub(r'[^a-z0-9.]+', '-', name.lower())}.jsonl")


if __name__ == "__main__":
    sys.exit(main())
