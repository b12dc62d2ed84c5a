"""Stages `features` and `split`: the teacher's outputs for all photos, and which are trained on."""

from __future__ import annotations

import numpy as np
import torch

from fourm.modalities.seg import square_labels
from fourm.training.features import encode_photos, patch_shares, shrink_labels
from fourm.training.run import Run
from recipes.mini.architecture import CLASSES, IMAGE, LAYERS, MAP_SIDE, image_encoder
from recipes.mini.data import (
    SIDE,
    TrainingData,
    rows_of,
    square_crops,
    square_photo,
    square_photos,
)


def extract(run: Run, data: TrainingData) -> None:
    """Write `features/captioned`, and `features/<name>` for each labelled set that is missing.

    Tensors: `cls` (N, dim) float32, `layers` (N, LAYERS, 2, dim) float16 (as `summaries` returns
    them), of captioned and labelled sets `patches` (N, 256, dim) float16; of labelled sets also
    `labels` (N, MAP_SIDE, MAP_SIDE) uint8 (0 for none, else class index + 1), `cover`
    (N, 256, classes + 1) float16, the share of each label in each patch, and `photo` (N,).
    """
    encoder = image_encoder(run.load("teacher"))
    if not run.has("features/captioned"):
        pixels = (square_photo(photo.path) for photo in data.captioned)
        count = len(data.captioned)
        found = encode_photos(encoder, IMAGE, pixels, count, "captioned", LAYERS)
        run.save("features/captioned", found)
    for labelled in data.labelled:
        name = labelled.name
        if not run.has(f"features/{name}"):
            crops = list(square_crops(labelled, seed=0))
            pixels = (crop.pixels for crop in crops)
            tensors = encode_photos(encoder, IMAGE, pixels, len(crops), name, LAYERS)
            labels = np.stack([square_labels(crop.ids, SIDE) for crop in crops])
            tensors["labels"] = torch.from_numpy(shrink_labels(labels, MAP_SIDE))
            shares = [patch_shares(rows, CLASSES + 1) for rows in np.array_split(labels, 64)]
            tensors["cover"] = torch.cat(shares)
            tensors["photo"] = torch.tensor([crop.photo for crop in crops])
            run.save(f"features/{name}", tensors)
    others = {one.name: [photo.path for photo in one.photos] for one in data.described}
    others["drawn"] = [photo.path for photo in data.drawn]
    for name, paths in others.items():
        if paths and not run.has(f"features/{name}"):
            squares = square_photos(paths)
            found = encode_photos(encoder, IMAGE, squares, len(paths), name, LAYERS, patches=False)
            run.save(f"features/{name}", found)


def write_split(run: Run, data: TrainingData) -> None:
    """Write `split`: rows of `features/captioned` in `train` and `dev`, and of `features/<name>`
    whose photos are not held out."""
    rows = {
        "train": rows_of(data.captioned, "train"),
        "dev": rows_of(data.captioned, "dev"),
    }
    for labelled in data.labelled:
        photos = run.load(f"features/{labelled.name}")["photo"].tolist()
        kept = set(rows_of(labelled.photos, "train"))
        rows[labelled.name] = [row for row, photo in enumerate(photos) if photo in kept]
    run.save("split", {name: torch.tensor(value) for name, value in rows.items()})
