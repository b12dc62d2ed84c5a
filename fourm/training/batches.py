"""What one training step sees: queries of several kinds, each with the photo it should find."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.imagenet import imagenet_normalised
from fourm.training.features import MAP_SIDE
from fourm.transformer.embeddings import ModalityInput

Mixture = Literal["text", "seg", "text+seg", "image+text"]

# Of the photos of one epoch's step: how many queries of a kind go into one batch.
SIZES: dict[Mixture, int] = {"text": 128, "seg": 64, "text+seg": 48, "image+text": 32}

PATCHES = 256
SHOWN = (32, 64, 64)
"""How many patches of a photo are shown beside words."""

LABELS_OF_LIKE = (
    # Stuff that people and networks call now one, now the other.
    ("sea", "river", "water-other"),
    ("grass-merged", "playingfield", "dirt-merged"),
    ("road", "pavement-merged"),
    ("building-other-merged", "house", "wall-other-merged"),
    ("sand", "dirt-merged", "gravel"),
    ("rock-merged", "mountain-merged", "wall-stone"),
)


@dataclass(frozen=True)
class Photos:
    """Everything that a batch is made of.

    Attributes:
        words: word-piece ids of the captions of each captioned photo.
        pixels: (P, 3, 224, 224) uint8, the captioned photos.
        labels: (M, MAP_SIDE, MAP_SIDE) uint8, label maps; the first P are those of the photos.
        weights: (M,) how often a map is drawn, relative to the others.
        likes: groups of labels that may stand for each other.
    """

    words: Sequence[Sequence[list[int]]]
    pixels: Tensor
    labels: Tensor
    weights: Tensor
    likes: Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Batch:
    """Queries of one kind.

    Attributes:
        photos: (B,) the photo or map each belongs to, as a row of the targets.
        words: word-piece ids, one list a query, or None.
        labels: (B, MAP_SIDE, MAP_SIDE) uint8, or None.
        image: pixels with all but a few patches masked, or None.
    """

    photos: Tensor
    words: list[list[int]] | None = None
    labels: Tensor | None = None
    image: ModalityInput | None = None


def epochs(photos: Photos, shares: dict[Mixture, float], seed: int) -> Iterator[Batch]:
    """Batches without end: every caption once an epoch, the other mixtures at their shares.

    Captions of a batch are of similar length, which saves padding.
    """
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    captions = [(i, j) for i, row in enumerate(photos.words) for j in range(len(row))]
    others = [kind for kind in shares if kind != "text"]
    while True:
        for rows in _by_length(photos, captions, SIZES["text"], rng):
            yield Batch(
                torch.tensor([i for i, _ in rows]),
                words=[_words(photos, i, j, rng) for i, j in rows],
            )
            for kind in others:
                for _ in range(_times(shares[kind] / shares["text"], rng)):
                    yield _mixed(photos, kind, rng, generator)


def _times(expected: float, rng: random.Random) -> int:
    whole = int(expected)
    return whole + (rng.random() < expected - whole)


def _by_length(
    photos: Photos, captions: list[tuple[int, int]], size: int, rng: random.Random
) -> Iterator[list[tuple[int, int]]]:
    rng.shuffle(captions)
    batches = []
    for start in range(0, len(captions), size * 20):
        chunk = sorted(
            captions[start : start + size * 20], key=lambda ij: len(photos.words[ij[0]][ij[1]])
        )
        batches += [chunk[i : i + size] for i in range(0, len(chunk), size)]
    rng.shuffle(batches)
    yield from batches


def _words(photos: Photos, i: int, j: int, rng: random.Random) -> list[int]:
    """A caption, one time in five without a word of it; start and end tokens stay."""
    ids = photos.words[i][j]
    if len(ids) > 5 and rng.random() < 0.2:
        gone = rng.randrange(1, len(ids) - 1)
        ids = ids[:gone] + ids[gone + 1 :]
    return ids


def _mixed(photos: Photos, kind: Mixture, rng: random.Random, generator: torch.Generator) -> Batch:
    size, count = SIZES[kind], len(photos.words)
    if kind == "seg":
        rows = torch.multinomial(photos.weights, size, replacement=True, generator=generator)
        return Batch(rows, labels=sketched(photos.labels[rows], photos.likes, rng))
    rows = torch.randperm(count, generator=generator)[:size]
    words = [_words(photos, i, rng.randrange(len(photos.words[i])), rng) for i in rows.tolist()]
    if kind == "text+seg":
        return Batch(rows, words, sketched(photos.labels[rows], photos.likes, rng))
    pixels = torch.stack([altered(photos.pixels[row], rng) for row in rows.tolist()])
    order = torch.rand(len(rows), PATCHES, generator=generator).argsort(1)
    image = ModalityInput(imagenet_normalised(pixels), order >= rng.choice(SHOWN))
    return Batch(rows, words, image=image)


def altered(pixels: Tensor, rng: random.Random) -> Tensor:
    """Half of the time a photo (3, S, S) uint8 as it is, else mirrored, cropped or dimmed."""
    if rng.random() < 0.5:
        return pixels
    if rng.random() < 0.5:
        pixels = pixels.flip(2)
    whole = pixels.shape[-1]
    side = int(whole * rng.uniform(0.7, 1))
    top, left = rng.randint(0, whole - side), rng.randint(0, whole - side)
    crop = pixels[None, :, top : top + side, left : left + side].float()
    full = F.interpolate(crop, size=(whole, whole), mode="bilinear", antialias=True)[0]
    return (full * rng.uniform(0.6, 1.2)).clamp(0, 255).to(torch.uint8)


def sketched(labels: Tensor, likes: Sequence[tuple[int, ...]], rng: random.Random) -> Tensor:
    """Maps as a hand might draw them: coarser, shifted, with classes left out or confused."""
    return torch.stack([_sketch(one, likes, rng) for one in labels])


def _sketch(labels: Tensor, likes: Sequence[tuple[int, ...]], rng: random.Random) -> Tensor:
    out = labels.clone()
    if rng.random() < 0.3:
        cell = rng.choice((2, 4, 8))
        middle = out[cell // 2 :: cell, cell // 2 :: cell]
        out = middle.repeat_interleave(cell, 0).repeat_interleave(cell, 1)
    if rng.random() < 0.3:
        down, right = rng.randint(-6, 6), rng.randint(-6, 6)
        rows = (torch.arange(MAP_SIDE) + down).clamp(0, MAP_SIDE - 1)
        columns = (torch.arange(MAP_SIDE) + right).clamp(0, MAP_SIDE - 1)
        out = out[rows][:, columns]
    for group in likes:
        if rng.random() < 0.15:
            into = rng.choice(group)
            for label in group:
                out = out.masked_fill(out == label, into)
    present = [int(label) for label in out.unique() if label]
    for label in present[1:]:
        if rng.random() < 0.12:
            out = out.masked_fill(out == label, 0)
    return out


def positives(targets_of: Tensor, photos: Tensor) -> Tensor:
    """(B, T) bool: which targets are of the same photo as each query (crops of one photo are)."""
    return targets_of[None, :] == targets_of[photos][:, None]


def masked_cross_entropy(logits: Tensor, photos: Tensor, same: Tensor) -> Tensor:
    """InfoNCE over all targets, where other crops of the query's own photo are no negatives."""
    own = F.one_hot(photos, logits.shape[1]).bool()
    return F.cross_entropy(logits.masked_fill(same & ~own, -1e4), photos)
