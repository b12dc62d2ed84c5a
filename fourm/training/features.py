"""Stage `features`: what the teacher sees in every photo, computed once and kept on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from fourm.imagenet import imagenet_normalised
from fourm.modalities.seg import panoptic_classes, square_labels
from fourm.training import material
from fourm.training.architecture import image_encoder
from fourm.training.run import Run
from fourm.transformer.embeddings import ModalityInput

BATCH = 32
SETS = {"coco_panoptic": (8, 1), "camvid": (2, 4), "ccp": (1, 1)}
MAP_SIDE = 64


def extract(run: Run) -> None:
    """Write `flickr8k`, and one file for each set with label maps; what exists is kept.

    Tensors: `cls` (N, dim) float32, `patches` (N, 256, dim) float16; of labelled sets also
    `labels` (N, MAP_SIDE, MAP_SIDE) uint8 (0 = nothing, else class index + 1), `cover`
    (N, 256, classes + 1) float16, the share of each label in each patch, and `photo` (N,).
    """
    encoder = image_encoder(run.load("teacher")).bfloat16()
    for name, (crops, every) in SETS.items():
        if not run.has(f"features/{name}"):
            items = list(material.labelled(run.data, name, crops, seed=0, every=every))
            tensors = _seen(encoder, (item.pixels for item in items), len(items), name)
            labels = np.stack([square_labels(item.ids, material.SIDE) for item in items])
            tensors["labels"] = torch.from_numpy(small(labels))
            tensors["cover"] = torch.cat([patch_cover(rows) for rows in np.array_split(labels, 64)])
            tensors["photo"] = torch.tensor([item.photo for item in items])
            run.save(f"features/{name}", tensors)
    if not run.has("features/flickr8k"):
        photos = material.captioned(run.data)
        pixels = (material.square_photo(photo.path) for photo in photos)
        run.save("features/flickr8k", _seen(encoder, pixels, len(photos), "flickr8k"))


def small(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(..., SIDE, SIDE) -> (..., MAP_SIDE, MAP_SIDE), each the label at the cell's middle."""
    side = labels.shape[-1]
    middle = ((np.arange(MAP_SIDE) + 0.5) * side / MAP_SIDE).astype(int)
    return labels[..., middle[:, None], middle]


def patch_cover(labels: NDArray[np.uint8], grid: int = 16) -> Tensor:
    """(N, SIDE, SIDE) -> (N, grid * grid, classes + 1) float16: share of each label."""
    count, side = len(labels), labels.shape[-1] // grid
    cells = torch.from_numpy(labels.astype(np.int64)).view(count, grid, side, grid, side)
    one = torch.zeros(count, grid, grid, len(panoptic_classes()) + 1)
    flat = cells.permute(0, 1, 3, 2, 4).reshape(count, grid, grid, side * side)
    one.scatter_add_(3, flat, torch.ones(()).expand_as(flat))
    share: Tensor = (one / (side * side)).flatten(1, 2).half()
    return share


@torch.inference_mode()
def _seen(
    encoder: torch.nn.Module, pixels: Iterable[NDArray[np.uint8]], count: int, name: str
) -> dict[str, Tensor]:
    cls, patches = [], []
    with tqdm(total=count, desc=name, unit="photo") as bar:
        for batch in _batches(pixels):
            normal = imagenet_normalised(torch.from_numpy(batch).permute(0, 3, 1, 2))
            tokens = encoder.encode({"rgb@224": ModalityInput(normal)}).tokens  # type: ignore[operator]
            cls.append(tokens[:, 0].float())
            patches.append(tokens[:, 1:].half())
            bar.update(len(batch))
    return {"cls": torch.cat(cls), "patches": torch.cat(patches)}


def _batches(pixels: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    batch = []
    for picture in pixels:
        batch.append(picture)
        if len(batch) == BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
