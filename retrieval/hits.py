"""What a search returns."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexes import ItemPath, SearchResult
from retrieval.modalities import source_named
from retrieval.ranks import Ranks

_OPTIONAL = ("box", "frames", "unknown_share", "missing")


@dataclass(frozen=True)
class Hit:
    """One item that was found.

    Attributes:
        rank: 1 is the best.
        score: in one space the cosine similarity of query and item, in [-1, 1]; in several the
            fused score, see `Gallery.search`.
        path: relative to the root of its gallery, with `/` as separator; for an item that is a
            line of a text file, that file's path with the line, e.g. `captions.txt:12`.
        id: the item's number in the index; it stays the same when the file is renamed.
        space: the embedding space, or several joined by `+`.
        modality: the modality of its gallery, e.g. `image` or `depth`.
        scores: space -> cosine similarity in [-1, 1], for every space that was searched.
        file: absolute path of its file; None if the item is a line of a text file.
        box: the square of a wide or tall image that the query is nearest to in the (first) space:
            left, top, right and bottom as fractions of its width and height; None: the image as a
            whole, or an item that has no squares.
        frames: number of frames of an animation or pages of a document; None if unknown.
        unknown_share: share of the words of the query's text that the model does not know, 0 to 1;
            None if there is no text, or another network than the model reads it.
    """

    rank: int
    score: float
    path: str
    id: int
    space: str
    modality: str = "image"
    scores: Mapping[str, float] = field(default_factory=dict)
    file: Path | None = None
    box: tuple[float, float, float, float] | None = None
    frames: int | None = None
    unknown_share: float | None = None

    @property
    def missing(self) -> bool:
        """Whether its file is not there now; False for a line of a text file."""
        return self.file is not None and not os.path.exists(self.file)

    def as_dict(self) -> dict[str, Any]:
        """The fields above as values that JSON has, in this order; `file` is a string or None.

        A `box` and an `unknown_share` of None are left out, and `frames` unless there are several.
        `missing` is there, and true, only if the file is not.
        """
        fields = {**asdict(self), "file": None if self.file is None else str(self.file)}
        if self.frames == 1:
            fields["frames"] = None
        fields["missing"] = True if self.missing else None
        left_out = [name for name in _OPTIONAL if fields[name] is None]
        return {name: value for name, value in fields.items() if name not in left_out}


def hits_of(
    found: SearchResult,
    wanted: Ranks,
    space: str,
    roots: Mapping[str, Path],
    unknown_shares: Sequence[float | None],
) -> list[list[Hit]]:
    """The hits of each query of a search.

    Args:
        found: the ranking, up to the last rank that is wanted.
        wanted: which ranks to return.
        space: the name of what was searched, see `Scope.name`.
        roots: modality -> root of its gallery.
        unknown_shares: of each query.
    """
    hits: list[list[Hit]] = []
    for row, share in enumerate(unknown_shares):
        hits.append([])
        for rank in wanted.kept(found.scores[row]):
            id_ = int(found.ids[row, rank])
            item = found.items[id_]
            hits[row].append(
                Hit(
                    rank + 1,
                    float(found.scores[row, rank]),
                    item.path,
                    id_,
                    space,
                    item.modality,
                    {name: float(cosines[row, rank]) for name, cosines in found.cosines.items()},
                    _file(item, roots),
                    found.boxes.get((id_, int(found.parts[row, rank]))),
                    found.frames.get(id_),
                    share,
                )
            )
    return hits


def _file(item: ItemPath, roots: Mapping[str, Path]) -> Path | None:
    lines = source_named(item.modality).items.lines
    return None if lines else roots[item.modality] / item.path
