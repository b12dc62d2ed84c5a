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
