"""Which ranks of a search are wanted: how many, from where, and down to which score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import UsageError

MOST = 2**31 - 1


@dataclass(frozen=True)
class Ranks:
    """The hits k at a time, after the first `offset`, cut off below a score.

    Attributes:
        k: number of hits, >= 1.
        offset: number of hits to leave out, >= 0.
        min_score: lowest score; None: any.
        cut: lowest score as a share of the best one, 0 to 1; None: any.

    Raises:
        UsageError: out of range.
    """

    k: int
    offset: int = 0
    min_score: float | None = None
    cut: float | None = None

    def __post_init__(self) -> None:
        check_k(self.k)
        _check_integer("offset", self.offset, 0)
        for name, value in (("min_score", self.min_score), ("cut", self.cut)):
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if value is not None and not (number and math.isfinite(value)):
                raise UsageError(f"expected a finite number, got {value!r}", where=name)
        if self.cut is not None and not 0 <= self.cut <= 1:
            raise UsageError(f"cut must be in [0, 1], got {self.cut}")

    @property
    def last(self) -> int:
        """The last rank that is wanted."""
        return int(self.k) + int(self.offset)

    def kept(self, scores: NDArray[Any]) -> range:
        """Positions of the wanted hits among all scores (n,) of a query, best first."""
        count = len(scores)
        if count and self.min_score is not None:
            count = int(np.count_nonzero(scores >= self.min_score))
        if count and self.cut is not None:
            best = float(scores[0])
            # The share of a negative score is below it.
            lowest = best - (1 - self.cut) * abs(best)
            count = min(count, int(np.count_nonzero(scores >= lowest)))
        return range(int(self.offset), min(self.last, count))


def check_k(k: object) -> None:
    """Check a number of hits.

    Raises:
        UsageError: it is not an integer >= 1.
    """
    _check_integer("k", k, 1)


def _check_integer(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise UsageError(f"{name} must be an integer, got {value!r}")
    if not least <= value <= MOST:
        said = f">= {least}" if value < least else f"<= {MOST}"
        raise UsageError(f"{name} must be {said}, got {value}")
