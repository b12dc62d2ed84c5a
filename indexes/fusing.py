"""Several rankings of the same pictures made one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from indexes.errors import BadSearch
from indexes.records import FloatArray

Fusion = Literal["rrf", "scores"]
FUSIONS: tuple[str, ...] = get_args(Fusion)

RRF_K = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""

_MOST_TIES = 64


def fuse(
    cosines: Mapping[str, FloatArray], weights: Mapping[str, float], fusion: str
) -> NDArray[np.float64]:
    """One score a picture, the higher the better.

    Args:
        cosines: space -> float32 (n,), of the same n pictures in the order of their ids.
        weights: of the spaces, above 0.
        fusion: "rrf", the sum of weight / (60 + rank) over the spaces, ranks from 1, equal cosines
            ranked in the order of ids; or "scores", the mean of the cosines by weight.

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
    """The k best pictures by `fuse`: their places and scores, the best first.

    Ranks are not made for all pictures where those that are among the first `depth` in some space
    will do: what is further down in all of them cannot score more than if it came next in each.

    Args:
        cosines, weights, fusion: as `fuse`.
        k: at least 1.
        depth: how deep to look first; four times deeper where that does not decide.
    """
    count = len(next(iter(cosines.values())))
    depth = max(depth, 2 * k)
    while fusion == "rrf" and depth < count:
        chosen = np.zeros(count, dtype=bool)
        for name in weights:
            chosen |= cosines[name] >= np.partition(cosines[name], count - depth)[count - depth]
        places = np.flatnonzero(chosen)
        scores = np.zeros(len(places))
        for name, weight in weights.items():
            scores += weight / (RRF_K + _ranks_of(places, cosines[name]))
        found = best(scores, k)
        if scores[found[-1]] > sum(weights.values()) / (RRF_K + depth + 1):
            return places[found], scores[found]
        depth *= 4
    fused = fuse(cosines, weights, fusion)
    found = best(fused, k)
    return found, fused[found]


def _ranks_of(places: NDArray[np.int64], scores: FloatArray) -> NDArray[np.int64]:
    """What `ranks` says of some places; sorting numbers takes a tenth of sorting places."""
    ascending = np.sort(scores)
    values = scores[places]
    above = np.searchsorted(ascending, values, side="right")
    tied = np.flatnonzero(above - np.searchsorted(ascending, values, side="left") > 1)
    if len(tied) > _MOST_TIES:
        return ranks(scores)[places]
    found: NDArray[np.int64] = len(scores) - above + 1
    for one in tied:
        found[one] += np.count_nonzero(scores[: places[one]] == values[one])
    return found


def ranks(scores: FloatArray) -> NDArray[np.int64]:
    """Ranks from 1, the highest score first; equal ones in the order in which they stand."""
    order = np.argsort(-scores, kind="stable")
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.arange(1, len(order) + 1)
    return found


def best(scores: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Places of the k highest scores, the highest first; equal ones in the order of places."""
    if k < len(scores):
        # All that reach the k-th score stay in the race, so that ties are decided by their places.
        bar = np.partition(scores, len(scores) - k)[len(scores) - k]
        places = np.flatnonzero(scores >= bar)
    else:
        places = np.arange(len(scores))
    found: NDArray[np.int64] = places[np.argsort(-scores[places], kind="stable")][:k]
    return found


def check_fusion(weights: Mapping[str, float], fusion: str) -> None:
    """Refuse what cannot be fused.

    Raises:
        BadSearch: no space, a weight that is not a finite number above 0, an unknown fusion.
    """
    if fusion not in FUSIONS:
        raise BadSearch(f"fusion: one of {', '.join(FUSIONS)}, not {fusion!r}.")
    if not weights:
        raise BadSearch("no space to search in; name at least one.")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float, np.number)):
            raise BadSearch(f"the weight of {name!r} must be a number, not {weight!r}.")
        if not 0 < weight < float("inf"):
            raise BadSearch(f"the weight of {name!r} must be above 0 and finite, not {weight}.")
