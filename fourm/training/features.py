"""Outputs of a frozen encoder for photos, and label maps at the sizes that training uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from fourm.imagenet import imagenet_normalised
from fourm.transformer import FM
from fourm.transformer.embeddings import ModalityInput

BATCH = 16


@torch.no_grad()
def summaries(
    encoder: FM, inputs: Mapping[str, ModalityInput], layers: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """What readouts see of a batch.

    Args:
        encoder: with one register token.
        inputs: of the encoder.
        layers: as `FM.encode` takes them.

    Returns:
        (B, layers, 2, dim): of each layer, the register token and the mean of the other tokens; and
        the tokens (B, N, dim) of the last layer.
    """
    encoded = encoder.encode(inputs, layers=layers)
    assert encoded.summaries is not None
    return encoded.summaries.unflatten(2, (2, -1)), encoded.tokens


def encode_photos(
    encoder: FM,
    modality: str,
    pixels: Iterable[NDArray[np.uint8]],
    count: int,
    title: str,
    layers: Sequence[int] = (),
    *,
    patches: bool = True,
) -> dict[str, Tensor]:
    """Encode photos.

    Args:
        encoder: with one register token.
        modality: the input that takes photos.
        pixels: (S, S, 3) uint8 arrays, S the model's image size.
        count: how many there are, for the progress bar.
        title: of the progress bar.
        layers: for `layers`.
        patches: whether the last layer's patches are kept.

    Returns:
        `cls` (N, dim) float32, the register token; `patches` (N, patches, dim) float16;
        `layers` (N, layers, 2, dim) float16, as `summaries` returns them.
    """
    names = ("cls", "layers", "patches") if patches else ("cls", "layers")
    found: dict[str, list[Tensor]] = {name: [] for name in names}
    with tqdm(total=count, desc=title, unit="photo") as bar:
        for batch in _batches(pixels):
            normal = imagenet_normalised(torch.from_numpy(batch).permute(0, 3, 1, 2))
            normal = normal.to(encoder.register_tokens.dtype)
            summary, tokens = summaries(encoder, {modality: ModalityInput(normal)}, layers)
            found["cls"].append(tokens[:, 0].float())
            found["layers"].append(summary.half())
            if patches:
                found["patches"].append(tokens[:, 1:].half())
            bar.update(len(batch))
    return {name: torch.cat(parts) for name, parts in found.items()}


def shrink_labels(labels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Label maps (..., S, S) -> (..., side, side), each the label at the centre of its cell."""
    whole = labels.shape[-1]
    centre = ((np.arange(side) + 0.5) * whole / side).astype(int)
    return labels[..., centre[:, None], centre]


def patch_shares(labels: NDArray[np.uint8], count: int, grid: int = 16) -> Tensor:
    """Label maps (N, S, S) -> (N, grid * grid, count) float16, shares of labels in each patch."""
    maps, side = len(labels), labels.shape[-1] // grid
    cells = torch.from_numpy(labels.astype(np.int64)).view(maps, grid, side, grid, side)
    sums = torch.zeros(maps, grid, grid, count)
    flat = cells.permute(0, 1, 3, 2, 4).reshape(maps, grid, grid, side * side)
    sums.scatter_add_(3, flat, torch.ones(()).expand_as(flat))
    share: Tensor = (sums / (side * side)).flatten(1, 2).half()
    return share


def _batches(pixels: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    batch = []
    for photo in pixels:
        batch.append(photo)
        if len(batch) == BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)
