"""How good mini's predictions are: `python -m benchmarks.generation DATA`.

Maps of held-out COCO photos are compared with those that people drew, captions of Flickr8k's dev
photos with their five captions, boxes with those of a detector. Each photo is given alone, and the
likeliest tokens are taken, as `fourm generate` does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.captions import bleu, cider, words_of
from benchmarks.detections import mean_average_precision
from fourm import FourmError, load_4m
from fourm.generation import Generator
from fourm.modalities.boxes import Box
from recipes.mini.data import boxes, square_crops
from recipes.mini.flickr8k_coco import Flickr8kCoco

OUTPUTS = ("text", "boxes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate, print a table and JSON, return the exit code; errors are one line."""
    parser = argparse.ArgumentParser(description="Quality of what mini predicts from a photo.")
    parser.add_argument("data", help="folder with flickr8k and coco_panoptic")
    parser.add_argument("--model", default="mini", help="name or folder (default: mini)")
    parser.add_argument("--photos", type=int, default=1000, help="Flickr8k photos (default: all)")
    options = parser.parse_args(arguments)
    try:
        generator = Generator(load_4m(options.model))
        data = Flickr8kCoco(Path(options.data))
        measured = {**maps(generator, data), **texts(generator, data, options.photos)}
    except FourmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, value in measured.items():
        print(f"| {name} | {value:.3f} |")
    print(json.dumps(measured))
    return 0


def maps(generator: Generator, data: Flickr8kCoco) -> dict[str, float]:
    """Pixel accuracy and mean IoU of maps of the held-out photos of COCO, all at once.

    Pixels that people left unlabelled do not count. A class counts if it is in a map by people.
    """
    labelled = next(one for one in data.labelled if one.name == "coco_panoptic")
    confusion = np.zeros((256, 256), np.int64)
    for photo, crops in groupby(square_crops(labelled, seed=0), key=lambda crop: crop.photo):
        if labelled.photos[photo].split != "dev":
            continue
        crop = next(crops)
        made = _made(generator, Image.fromarray(crop.pixels), ["seg"])["seg"]
        predicted = Image.fromarray(made).resize(crop.ids.shape, Image.Resampling.NEAREST)
        np.add.at(confusion, (crop.ids.ravel(), np.asarray(predicted).ravel()), 1)
    confusion[0] = 0
    right = confusion.diagonal().astype(float)
    union = confusion.sum(0) + confusion.sum(1) - right
    present = confusion.sum(1) > 0
    return {
        "pixel accuracy": float(right.sum() / confusion.sum()),
        "mIoU": float((right[present] / union[present]).mean()),
    }


def texts(generator: Generator, data: Flickr8kCoco, most: int) -> dict[str, float]:
    """BLEU-4 and CIDEr of captions, and mAP@0.5 of boxes, of Flickr8k's dev photos."""
    photos = [photo for photo in data.captioned if photo.split == "dev"][:most]
    written, references = [], []
    found: list[list[Box]] = []
    truth: list[list[Box]] = []
    for photo in tqdm(photos, desc="photos", unit="photo"):
        with Image.open(photo.path) as image:
            made = _made(generator, image.convert("RGB"), OUTPUTS)
        written.append(words_of(made["text"]))
        references.append([words_of(text) for text in photo.captions])
        found.append(made["boxes"])
        truth.append(boxes(data.objects(photo)))
    return {
        "BLEU-4": bleu(written, references),
        "CIDEr": cider(written, references),
        "mAP@0.5": mean_average_precision(found, truth),
        "words": sum(map(len, written)) / len(written),
        "different captions": len({" ".join(words) for words in written}) / len(written),
    }


def _made(generator: Generator, image: Image.Image, to: Sequence[str]) -> dict[str, Any]:
    return {made.modality: made.value for made in generator.generate({"image": image}, list(to))}


if __name__ == "__main__":
    sys.exit(main())
