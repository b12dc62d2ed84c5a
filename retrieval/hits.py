"""What a search gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Hit:
    """A found picture, or an item of another kind.

    Attributes:
        rank: 1 is the best.
        score: in one space the cosine of the query's and the picture's vectors, in [-1, 1]; in
            several the fused score, see `retrieval.scope.Scope`.
        path: relative to the root of its gallery, with `/` between its parts.
        id: the picture's number in the index; it stays when the file is renamed.
        space: the embedding space of the vectors; several with `+` between them.
        kind: of its gallery: `image`, `depth` ...
        scores: space -> cosine in [-1, 1], for every space that was used.
    """

    rank: int
    score: float
    path: str
    id: int
    space: str
    kind: str = "image"
    scores: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The hit as JSON knows it: rank, score, path, id, space, kind, scores."""
        return asdict(self)
