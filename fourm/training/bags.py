"""Texts as bags of words: which word pieces occur, weighted by how rare they are.

A text is a row of `ids` (N, longest), padded with any ignored id.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor


def first_places(ids: Tensor) -> Tensor:
    """(N, longest) bool: where a piece occurs for the first time in its text."""
    order = ids.argsort(dim=1, stable=True)
    ordered = ids.gather(1, order)
    new = torch.ones_like(ids, dtype=torch.bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    return torch.zeros_like(new).scatter(1, order, new)


def rarity(ids: Tensor, vocabulary: int, ignored: Iterable[int]) -> Tensor:
    """(vocabulary,) log of the inverse share of texts that have a word piece.

    It is 0 for pieces that fewer than two texts have, and for the `ignored` ones.
    """
    counts = torch.bincount(ids[first_places(ids)].long(), minlength=vocabulary).float()
    values = (len(ids) / counts.clamp_min(1)).log()
    values[counts < 2] = 0
    values[list(ignored)] = 0
    return values


def shares(ids: Tensor, idf: Tensor) -> Tensor:
    """(N, longest): `idf` of each distinct piece, 0 for repetitions; rows of length 1, or 0."""
    return F.normalize(idf[ids.long()] * first_places(ids), dim=1, eps=1e-12)


def bag(ids: Tensor, share: Tensor, words: Tensor) -> Tensor:
    """(N, dim): sums of rows of `words` (vocabulary, dim), weighted by `shares`."""
    return F.embedding_bag(ids.long(), words, per_sample_weights=share, mode="sum")


def directions(ids: Tensor, share: Tensor, vocabulary: int, count: int, seed: int = 0) -> Tensor:
    """(vocabulary, count) principal directions of bags, which are not centred.

    Args:
        ids: of N texts.
        share: from `shares`.
        vocabulary: number of word pieces.
        count: of directions; fewer if there are fewer texts or pieces.
        seed: of the random start.
    """
    rows = torch.arange(len(ids))[:, None].expand(ids.shape)
    places = torch.stack([rows.flatten(), ids.flatten().long()])
    size = (len(ids), vocabulary)
    matrix = torch.sparse_coo_tensor(places, share.flatten(), size).coalesce()
    torch.manual_seed(seed)
    found: Tensor = torch.svd_lowrank(matrix, q=min(count, *size), niter=1)[2]
    return found
