"""Batches of queries in several modalities, each with the photo that it should retrieve."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from fourm.imagenet import imagenet_normalised
from fourm.training.augmentation import vary_label_map, vary_photo
from fourm.transformer.embeddings import ModalityInput

Mixture = Literal["text", "seg", "text+seg", "image+text"]

SIZES: Mapping[Mixture, int] = {"text": 128, "seg": 64, "text+seg": 48, "image+text": 32}
"""Queries in a batch of each mixture."""

PATCHES = 256
VISIBLE = (32, 64, 64)
"""Numbers of visible patches of a photo given with a text, one of which is drawn for a batch."""


@dataclass(frozen=True)
class TrainingPhotos:
    """Everything that batches are made of.

    Attributes:
        captions: token ids of the captions of each captioned photo.
        pixels: (P, 3, 224, 224) uint8, the captioned photos.
        labels: (M, S, S) uint8 label maps; the first P are those of the captioned photos.
        weights: (M,) how often a map is sampled, relative to the others.
        similar: groups of labels that may stand for each other.
    """

    captions: Sequence[Sequence[list[int]]]
    pixels: Tensor
    labels: Tensor
    weights: Tensor
    similar: Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class QueryBatch:
    """Queries of one mixture.

    Attributes:
        rows: (B,) index of the photo or map of each query.
        text: token ids of each query, or None.
        labels: (B, S, S) uint8, or None.
        image: pixels with most patches masked, or None.
    """

    rows: Tensor
    text: list[list[int]] | None = None
    labels: Tensor | None = None
    image: ModalityInput | None = None


def batches(
    photos: TrainingPhotos, shares: Mapping[Mixture, float], seed: int
) -> Iterator[QueryBatch]:
    """Batches without end: each caption once an epoch, other mixtures by their shares.

    Captions of a batch have similar lengths, which saves padding.

    Args:
        photos: to sample from.
        shares: expected number of batches of each mixture, relative to each other.
        seed: random seed.
    """
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    captions = [(i, j) for i, row in enumerate(photos.captions) for j in range(len(row))]
    others = [mixture for mixture in shares if mixture != "text"]
    while True:
        for chosen in _by_length(photos, captions, SIZES["text"], rng):
            yield QueryBatch(
                torch.tensor([i for i, _ in chosen]),
                text=[_caption(photos, i, j, rng) for i, j in chosen],
            )
            for mixture in others:
                for _ in range(_rounded(shares[mixture] / shares["text"], rng)):
                    yield _mixed(photos, mixture, rng, generator)


def _rounded(expected: float, rng: random.Random) -> int:
    whole = int(expected)
    return whole + (rng.random() < expected - whole)


def _by_length(
    photos: TrainingPhotos, captions: list[tuple[int, int]], size: int, rng: random.Random
) -> Iterator[list[tuple[int, int]]]:
    rng.shuffle(captions)
    groups = []
    for start in range(0, len(captions), size * 20):
        chunk = sorted(
            captions[start : start + size * 20], key=lambda ij: len(photos.captions[ij[0]][ij[1]])
        )
        groups += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    rng.shuffle(groups)
    yield from groups


def _caption(photos: TrainingPhotos, i: int, j: int, rng: random.Random) -> list[int]:
    """Ids of a caption, one time in five without a token between the first and the last."""
    ids = photos.captions[i][j]
    if len(ids) > 5 and rng.random() < 0.2:
        gone = rng.randrange(1, len(ids) - 1)
        ids = ids[:gone] + ids[gone + 1 :]
    return ids


def _mixed(
    photos: TrainingPhotos, mixture: Mixture, rng: random.Random, generator: torch.Generator
) -> QueryBatch:
    size, count = SIZES[mixture], len(photos.captions)
    if mixture == "seg":
        rows = torch.multinomial(photos.weights, size, replacement=True, generator=generator)
        return QueryBatch(rows, labels=_varied_maps(photos, rows, rng))
    rows = torch.randperm(count, generator=generator)[:size]
    text = [_caption(photos, i, rng.randrange(len(photos.captions[i])), rng) for i in rows.tolist()]
    if mixture == "text+seg":
        return QueryBatch(rows, text, _varied_maps(photos, rows, rng))
    pixels = torch.stack([vary_photo(photos.pixels[row], rng) for row in rows.tolist()])
    order = torch.rand(len(rows), PATCHES, generator=generator).argsort(1)
    image = ModalityInput(imagenet_normalised(pixels), order >= rng.choice(VISIBLE))
    return QueryBatch(rows, text, image=image)


def _varied_maps(photos: TrainingPhotos, rows: Tensor, rng: random.Random) -> Tensor:
    return torch.stack([vary_label_map(photos.labels[row], photos.similar, rng) for row in rows])
