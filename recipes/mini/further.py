"""Stages `further` and `add`: edges, boxes, palettes and metadata as further inputs of mini.

Embeddings and probes are trained; what the model folder could do before stays byte by byte the
same. Only the vocabulary of its language model shrinks to make room: the rarest words that no
caption uses are dropped first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm, trange

from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.hub.manifest import MANIFEST_FILE, Manifest
from fourm.imagenet import imagenet_normalised
from fourm.language.sentences import TOKENIZER
from fourm.modalities.palette import MOST_COLOURS, palette_of
from fourm.model.heads import Head
from fourm.training import export, inputs
from fourm.training.augmentation import PhotoItems, vary_boxes, vary_metadata, vary_palette
from fourm.training.inputs import BOXES, EDGES, METADATA, PALETTE, PHOTO, FittedInput
from fourm.training.run import Run
from fourm.training.vocabulary import WORD_TABLE, pruned_tokenizer, write_tokenizer
from fourm.transformer import FM, load_fm
from fourm.transformer.embeddings import ModalityInput
from recipes.mini.data import TrainingData, boxes, metadata, rows_of, square_photo
from recipes.mini.export import MOST_BYTES

NAMES = {"edges": EDGES, "boxes": BOXES, "palette": PALETTE, "metadata": METADATA}
WEIGHTS = {"edges": 1.25, "boxes": 0.7, "palette": 0.4, "metadata": 0.3}
"""Weight of an input's vector compared with that of the vector predicted from text and maps."""

VARY: Mapping[str, inputs.Vary] = {
    BOXES: vary_boxes,
    PALETTE: vary_palette,
    METADATA: vary_metadata,
}


def fit(
    run: Run,
    data: TrainingData,
    bundle: Path,
    steps: int,
    edge_steps: int = 2000,
    batch: int = inputs.BATCH,
) -> None:
    """Write `further/<modality>` for each input that is missing: `embedding.*` and `probe.*`.

    Args:
        run: to write to.
        data: whose captioned photos are trained on.
        bundle: model folder.
        steps: optimiser steps for boxes, palettes and metadata.
        edge_steps: optimiser steps of the probe for edges.
        batch: photos in a step of the former.
    """
    manifest = Manifest.read(bundle)
    model = load_fm(bundle / manifest.model, inputs=[PHOTO], outputs=[]).requires_grad_(False)
    train = rows_of(data.captioned, "train")
    targets = _targets(run, data, model, bundle, manifest)[train]

    def photos() -> Iterator[NDArray[np.uint8]]:
        return (square_photo(data.captioned[row].path) for row in train)

    if not run.has(f"further/{EDGES}"):
        fitted = inputs.fit_edges(model, photos, targets, edge_steps)
        run.save(f"further/{EDGES}", fitted)
    items = _items(run, data)
    for name, vary in VARY.items():
        if not run.has(f"further/{name}"):
            chosen = [items[row] for row in train]
            fitted = inputs.fit_items(model, name, chosen, vary, targets, steps, batch=batch)
            run.save(f"further/{name}", fitted)


def _targets(run: Run, data: TrainingData, model: FM, bundle: Path, manifest: Manifest) -> Tensor:
    """(N, dim) unit vectors of all captioned photos in the model's space."""
    if not run.has("further/photos"):
        rows = []
        for start in trange(0, len(data.captioned), 32, desc="photos", unit="batch"):
            batch = data.captioned[start : start + 32]
            pixels = np.stack([square_photo(photo.path) for photo in batch])
            given = imagenet_normalised(torch.from_numpy(pixels).permute(0, 3, 1, 2))
            rows.append(inputs.register_tokens(model, {PHOTO: ModalityInput(given)}))
        run.save("further/photos", {"cls": torch.cat(rows)})
    space = next(iter(manifest.spaces.values()))
    assert space.transform is not None
    transform = Head(bundle / space.transform)
    return F.normalize(transform(run.load("further/photos")["cls"]), dim=-1)


def _items(run: Run, data: TrainingData) -> list[PhotoItems]:
    path = run.path("further/palettes.json")
    if not path.is_file():
        counts = range(1, MOST_COLOURS + 1)
        palettes = [
            [palette_of(square_photo(photo.path), count) for count in counts]
            for photo in tqdm(data.captioned, desc="palettes", unit="photo")
        ]
        run.write_json("further/palettes.json", palettes)
    palettes = json.loads(path.read_text(encoding="utf-8"))
    made = []
    for photo, colours in zip(data.captioned, palettes, strict=True):
        objects = data.objects(photo)
        values = metadata(photo.path, boxes(objects))
        made.append(PhotoItems(colours, values, boxes(objects, lowest=0)))
    return made


def add(
    run: Run, data: TrainingData, bundle: Path, vocabulary: int, most_bytes: int = MOST_BYTES
) -> int:
    """Add the fitted inputs to a model folder and return its size in bytes.

    Args:
        run: with stage `further` done.
        data: whose captions' words stay in the vocabulary.
        bundle: model folder, which is changed as a whole or not at all.
        vocabulary: entries of the language model to keep, besides special tokens.
        most_bytes: allowed size.

    Raises:
        BadInput: the folder would be larger than `most_bytes`.
    """
    fitted = [
        FittedInput(query, name, run.load(f"further/{name}"), WEIGHTS[query])
        for query, name in NAMES.items()
    ]
    with export.replaced(bundle, most_bytes) as folder:
        export.add_inputs(folder, fitted)
        languages = read_json_object(folder / MANIFEST_FILE)["language_models"]
        _shrink(data, folder / next(iter(languages.values())), vocabulary)
    return export.folder_size(bundle)


def _shrink(data: TrainingData, folder: Path, vocabulary: int) -> None:
    texts = (text for photo in data.captioned for text in photo.captions)
    tokenizer, old_ids = pruned_tokenizer(folder / TOKENIZER, texts, vocabulary)
    tensors, header = export.stored_tensors(folder / TENSORS)
    for name in (WORD_TABLE, f"{WORD_TABLE}.scale"):
        tensors[name] = tensors[name][old_ids].contiguous()
    size = {"vocab_size": len(old_ids)}
    export.save_tensors(folder / TENSORS, tensors, header | {"vocab_size": str(len(old_ids))})
    export.write_json(folder / CONFIG, read_json_object(folder / CONFIG) | size)
    write_tokenizer(folder / TOKENIZER, tokenizer)
