"""How often each part of a wide image is found first, by the ratio of its sides.

    python -m benchmarks.panoramas DATA                     mini, photos of Flickr8k dev

Photos are joined to strips, of which pieces of each ratio are cut out, so that parts lie anywhere.
Queries are altered copies and captions of the photos of which a piece shows at least 60 %. They are
searched among all pieces of that ratio and further photos: with the central squares of the pieces
alone, as they are indexed below the ratio `retrieval.images.squares.WIDE`, and with squares.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from benchmarks.measuring import Row, report
from benchmarks.options import number

if TYPE_CHECKING:
    from fourm import Model
    from recipes.mini.data import CaptionedPhoto

RATIOS = (1.5, 16 / 9, 2.0, 3.0)
VISIBLE = 0.6
_SIDE = 224


@dataclass
class _Pieces:
    """Wide images, and the queries of their parts: the photo, its caption, and its image's row."""

    images: list[Image.Image] = field(default_factory=list)
    photos: list[Image.Image] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the JSON line, return the exit code."""
    from fourm import load_4m
    from recipes.mini.data import rows_of
    from recipes.mini.flickr8k_coco import Flickr8kCoco

    chosen = _options(arguments)
    data = Flickr8kCoco(Path(chosen.data))
    dev = [data.captioned[row] for row in rows_of(data.captioned, "dev")]
    random.Random(0).shuffle(dev)
    model = load_4m(chosen.model)
    others = _embedded(model, [_photo(entry) for entry in dev[: chosen.others]])
    rows: list[Row] = []
    for ratio in RATIOS[: chosen.ratios]:
        pieces = _cut(dev[chosen.others :], ratio, chosen.pieces)
        rows += _measure(model, pieces, others, f"{ratio:.3g}:1")
    setting = {"model": chosen.model, "other photos": chosen.others, "pieces": chosen.pieces}
    report("panoramas", setting, rows)
    return 0


def _measure(model: Model, pieces: _Pieces, others: NDArray[np.float32], ratio: str) -> list[Row]:
    from retrieval.images.squares import cut, squares

    boxes = [(row, box) for row, one in enumerate(pieces.images) for box in squares(*one.size, 0)]
    own = _embedded(model, pieces.images)
    parts = _embedded(model, [cut(pieces.images[row], box) for row, box in boxes])
    owners = np.array([row for row, _ in boxes])
    queries = {
        "altered photos": _embedded(model, [_altered(photo) for photo in pieces.photos]),
        "captions": np.concatenate(
            [model.embed([model.prepare({"text": text})]) for text in pieces.captions]
        ),
    }
    found = []
    for what, vectors in queries.items():
        central = vectors @ own.T
        best = central.copy()
        for column, owner in enumerate(owners):
            best[:, owner] = np.maximum(best[:, owner], vectors @ parts[column])
        for k in (1, 10):
            without = _recall(central, vectors @ others.T, pieces.rows, k)
            with_squares = _recall(best, vectors @ others.T, pieces.rows, k)
            found.append(
                Row(
                    f"{ratio}, {len(vectors)} {what}: recall@{k}",
                    with_squares,
                    "%",
                    without,
                    "central squares alone",
                )
            )
    count = 1 + len(boxes) / len(pieces.images)
    return [*found, Row(f"{ratio}: vectors of an image", count, "")]


def _recall(
    scores: NDArray[np.float32], others: NDArray[np.float32], rows: Sequence[int], k: int
) -> float:
    """Share of the queries in % that find their image among the first k."""
    right = scores[np.arange(len(rows)), rows][:, None]
    above = (scores > right).sum(axis=1) + (others > right).sum(axis=1)
    return 100 * float((above < k).mean())


def _cut(entries: Sequence[CaptionedPhoto], ratio: float, count: int) -> _Pieces:
    chosen = random.Random(1)
    pieces = _Pieces()
    for row in range(count):
        shown = chosen.sample(list(entries), math.ceil(ratio) + 1)
        strip = Image.new("RGB", (_SIDE * len(shown), _SIDE))
        for at, entry in enumerate(shown):
            strip.paste(_photo(entry), (_SIDE * at, 0))
        start = chosen.random()
        left = round(_SIDE * start)
        pieces.images.append(strip.crop((left, 0, left + round(_SIDE * ratio), _SIDE)))
        for at, entry in enumerate(shown):
            if min(at + 1, start + ratio) - max(at, start) >= VISIBLE:
                pieces.photos.append(_photo(entry))
                pieces.captions.append(entry.captions[0])
                pieces.rows.append(row)
    return pieces


def _photo(entry: CaptionedPhoto) -> Image.Image:
    with Image.open(entry.path) as opened:
        photo: Image.Image = opened.convert("RGB").resize((_SIDE, _SIDE))
    return photo


def _altered(photo: Image.Image) -> Image.Image:
    """Mirrored, darker, and without a tenth of its width and height."""
    edge = round(0.05 * _SIDE)
    crop = photo.crop((edge, edge, _SIDE - edge, _SIDE - edge))
    return ImageEnhance.Brightness(ImageOps.mirror(crop)).enhance(0.7)


def _embedded(model: Model, images: Sequence[Image.Image]) -> NDArray[np.float32]:
    vectors = [
        model.embed([model.prepare({"image": image}) for image in images[start : start + 16]])
        for start in range(0, len(images), 16)
    ]
    return np.concatenate(vectors)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("data", help="folder with flickr8k")
    options.add_argument("--model", default="mini", help="name or folder (default: mini)")
    options.add_argument("--others", type=number(), default=300, help="photos (default: 300)")
    options.add_argument("--pieces", type=number(), default=40, help="of each ratio (default: 40)")
    options.add_argument(
        "--ratios", type=number(len(RATIOS)), default=len(RATIOS), help="first N ratios only"
    )
    return options.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
