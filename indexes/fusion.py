"""Fusion of several rankings of the same items into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from indexes.errors import BadSearch
from indexes.records import FloatArray

Fusion = Literal["rrf", "scores"]
"""Reciprocal rank fusion, or the weighted mean of the cosines; see `fuse`."""

FUSIONS: tuple[str, ...] = get_args(Fusion)
"""The values of `Fusion`."""

RRF_K = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""

_MOST_TIES = 64


def fuse(
    cosines: Mapping[str, FloatArray], weights: Mapping[str, float], fusion: str
) -> NDArray[np.float64]:
    """One score for each item, the higher the better.

    Args:
        cosines: space -> float32 (n,), of the same n items in the order of their ids.
        weights: space -> weight, above 0.
        fusion: "rrf": the sum of weight / (60 + rank) over the spaces, with ranks from 1 and equal
            cosines ranked in the order of ids; "scores": the weighted mean of the cosines.

    Returns:
        float64 (n,).
    """
    parts: list[NDArray[Any]]
    if fusion == "rrf":
        parts = [weight / (RRF_K + ranks(cosines[name])) for name, weight in weights.items()]
    else:
        total = sum(weights.values())
        parts = [weight / total * cosines[name] for name, weight in weights.items()]
    fused: NDArray[np.float64] = np.sum(parts, axis=0, dtype=np.float64)
    return fused


def fuse_best(
    cosines: Mapping[str, FloatArray],
    weights: Mapping[str, float],
    fusion: str,
    k: int,
    *,
    depth: int = 1000,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions (k,) and scores (k,) of the k best items by `fuse`, best first.

    Only items among the first `depth` of some space are ranked if that decides the result: an item
    further down in all spaces cannot score more than if it came next in each of them.

    Args:
        cosines, weights, fusion: as `fuse`.
        k: at least 1.
        depth: first depth to try; four times that if it does not decide.
    """
    count = len(next(iter(cosines.values())))
    depth = max(depth, 2 * k)
    while fusion == "rrf" and depth < count:
        chosen = np.zeros(count, dtype=bool)
        for name in weights:
            chosen |= cosines[name] >= np.partition(cosines[name], count - depth)[count - depth]
        positions = np.flatnonzero(chosen)
        scores = np.zeros(len(positions))
        for name, weight in weights.items():
            scores += weight / (RRF_K + _ranks_of(positions, cosines[name]))
        found = best(scores, k)
        if scores[found[-1]] > sum(weights.values()) / (RRF_K + depth + 1):
            return positions[found], scores[found]
        depth *= 4
    fused = fuse(cosines, weights, fusion)
    found = best(fused, k)
    return found, fused[found]


def _ranks_of(positions: NDArray[np.int64], scores: FloatArray) -> NDArray[np.int64]:
    """`ranks` of some positions; sorting values takes a tenth of the time of sorting positions."""
    ascending = np.sort(scores)
    values = scores[positions]
    above = np.searchsorted(ascending, values, side="right")
    tied = np.flatnonzero(above - np.searchsorted(ascending, values, side="left") > 1)
    if len(tied) > _MOST_TIES:
        return ranks(scores)[positions]
    found: NDArray[np.int64] = len(scores) - above + 1
    for row in tied:
        found[row] += np.count_nonzero(scores[: positions[row]] == values[row])
    return found


def ranks(scores: FloatArray) -> NDArray[np.int64]:
    """Ranks (n,) from 1, the highest score first; equal scores in the order of positions."""
    order = np.argsort(-scores, kind="stable")
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.arange(1, len(order) + 1)
    return found


def best(scores: NDArray[Any], k: int) -> NDArray[np.int64]:
    """Positions of the k highest scores, highest first; equal scores in the order of positions."""
    if k < len(scores):
        # Keep all that reach the k-th score, so that ties are decided by position.
        threshold = np.partition(scores, len(scores) - k)[len(scores) - k]
        positions = np.flatnonzero(scores >= threshold)
    else:
        positions = np.arange(len(scores))
    found: NDArray[np.int64] = positions[np.argsort(-scores[positions], kind="stable")][:k]
    return found


def check_fusion(weights: Mapping[str, float], fusion: str) -> None:
    """Check the weights and the method of a fusion.

    Raises:
        BadSearch: no space, a weight that is not a finite number above 0, an unknown fusion.
    """
    if fusion not in FUSIONS:
        raise BadSearch(f"fusion must be one of {', '.join(FUSIONS)}, got {fusion!r}")
    if not weights:
        raise BadSearch("expected at least one space to search in")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float, np.number)):
            raise BadSearch(f"the weight of {name!r} must be a number, got {weight!r}")
        if not 0 < weight < float("inf"):
            raise BadSearch(f"the weight of {name!r} must be > 0 and finite, got {weight}")
