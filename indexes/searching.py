"""Search in the spaces of one index, with what is loaded for it kept until it changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from indexes import reading
from indexes.errors import BadSearch, DamagedIndex, IncompleteSpace
from indexes.fusing import fuse_best
from indexes.nearest import IdArray, Nearest, Published, load
from indexes.reading import StoredGallery, StoredSpace
from indexes.records import FloatArray

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fused:
    """What a search in several spaces found.

    Attributes:
        scores: float64 (Q, k'), the fused scores, best first.
        ids: int64 (Q, k').
        cosines: space -> float32 (Q, k'), of the same pictures.
    """

    scores: np.ndarray
    ids: IdArray
    cosines: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The vectors of one space as they were at a generation.

    Attributes:
        members: gallery id -> ids of its pictures in `nearest`, ascending; None where the index
            has one gallery only.
        incomplete: gallery id -> gallery, of those that are not covered by the space.
    """

    generation: int
    nearest: Nearest
    members: Mapping[int, IdArray] | None
    incomplete: Mapping[int, StoredGallery]


class Searcher:
    """The vectors of an index in memory. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._refresh = threading.Lock()
        self._loaded: dict[int, Loaded] = {}

    def clear(self) -> None:
        """Drop the vectors from memory."""
        self._loaded = {}

    def current(
        self, session: Session, version: int, spaces: Sequence[StoredSpace]
    ) -> list[Loaded]:
        """The vectors of spaces as the session sees them: from memory, file or catalogue."""
        with self._refresh:
            generations = reading.generations(session)
            return [self._space(session, version, space, generations) for space in spaces]

    def _space(
        self,
        session: Session,
        version: int,
        space: StoredSpace,
        generations: Mapping[int, int],
    ) -> Loaded:
        if space.id not in generations:
            raise DamagedIndex(self._folder, f"the space {space.recipe.space!r} is gone")
        loaded = self._loaded.get(space.id)
        if loaded is not None and loaded.generation == generations[space.id]:
            return loaded
        # Dropped before the new one is made: memory for one, not for two.
        del loaded
        self._loaded.pop(space.id, None)
        nearest = self.from_file(session, space, generations[space.id])
        if nearest is None:
            _log.info("%s: making the nearest-neighbour index", self._folder)
            dim = space.recipe.dim
            nearest = Nearest.build(dim, reading.vector_chunks(session, space.id, dim))
        galleries = reading.galleries(session, version)
        members = None
        if len(galleries) > 1:
            ids = nearest.ids
            members = {
                gallery: found[np.isin(found, ids)]
                for gallery, found in reading.members(session).items()
            }
        uncovered = reading.uncovered(session, version)
        fresh = Loaded(
            generations[space.id],
            nearest,
            members,
            {
                gallery.id: gallery
                for gallery in galleries.values()
                if (space.id, gallery.id) in uncovered
            },
        )
        self._loaded[space.id] = fresh
        return fresh

    def from_file(self, session: Session, space: StoredSpace, generation: int) -> Nearest | None:
        """The published vectors, if they are those of this generation."""
        published = reading.published(session, space.id)
        if published is None or published.generation != generation:
            return None
        return load(self.file(space), published, space.recipe.dim)

    def publish(self, session: Session, version: int, space: StoredSpace) -> Published | None:
        """Write the FAISS file of a space if it is missing, stale or damaged; None if it is not.

        Vectors that were read for this alone do not stay in memory.
        """
        generation = reading.generations(session)[space.id]
        if self.from_file(session, space, generation) is not None:
            return None
        extra = bool(self._loaded) and space.id not in self._loaded
        (loaded,) = self.current(session, version, [space])
        published = loaded.nearest.save(self.file(space), loaded.generation)
        if extra:
            self._loaded.pop(space.id, None)
        return published

    def file(self, space: StoredSpace) -> Path:
        """Where the FAISS file of a space lies."""
        return self._folder / f"vectors-{space.id}.faiss"

    def nearest(
        self,
        loaded: Loaded,
        space: StoredSpace,
        galleries: Sequence[StoredGallery] | None,
        rows: FloatArray,
        k: int,
    ) -> tuple[FloatArray, IdArray]:
        """The nearest of each row in one space, among the pictures of these galleries, or all."""
        return loaded.nearest.search(rows, k, self._among(loaded, space, galleries))

    def fused(
        self,
        loaded: Mapping[str, Loaded],
        spaces: Mapping[str, StoredSpace],
        galleries: Sequence[StoredGallery] | None,
        queries: Mapping[str, FloatArray],
        weights: Mapping[str, float],
        fusion: str,
        k: int,
    ) -> Fused:
        """The best of each query over several spaces, from the full ranking in each of them."""
        ids, places = self._common(loaded, spaces, galleries)
        count = len(next(iter(queries.values())))
        k = min(k, len(ids))
        scores = np.empty((count, k), dtype=np.float64)
        found = np.empty((count, k), dtype=np.int64)
        cosines = {name: np.empty((count, k), dtype=np.float32) for name in weights}
        for row in range(count if k else 0):
            # One query at a time: a score for each picture and space is all that is held.
            given = {
                name: loaded[name].nearest.cosines(queries[name][row])[places[name]]
                for name in weights
            }
            chosen, scores[row] = fuse_best(given, weights, fusion, k)
            found[row] = ids[chosen]
            for name in weights:
                np.clip(given[name][chosen], -1.0, 1.0, out=cosines[name][row])
        return Fused(scores, found, cosines)

    def _common(
        self,
        loaded: Mapping[str, Loaded],
        spaces: Mapping[str, StoredSpace],
        galleries: Sequence[StoredGallery] | None,
    ) -> tuple[IdArray, dict[str, IdArray | slice]]:
        """Ids of the pictures to rank, ascending, and where they stand in each space."""
        wanted: IdArray | None = None
        places: dict[str, IdArray | slice] = {}
        for name, one in loaded.items():
            among = self._among(one, spaces[name], galleries)
            there = one.nearest.ids
            places[name] = slice(None) if among is None else np.searchsorted(there, among)
            ids = there if among is None else among
            if wanted is not None and not np.array_equal(wanted, ids):
                raise DamagedIndex(self._folder, "its spaces do not hold the same pictures")
            wanted = ids
        if wanted is None:
            raise BadSearch("no space to search in; name at least one.")
        return wanted, places

    def _among(
        self, loaded: Loaded, space: StoredSpace, galleries: Sequence[StoredGallery] | None
    ) -> IdArray | None:
        wanted = None if galleries is None else {gallery.id for gallery in galleries}
        for gallery in loaded.incomplete.values():
            if wanted is None or gallery.id in wanted:
                raise IncompleteSpace(
                    self._folder, space.recipe.space, gallery.reading.kind, gallery.root
                )
        if wanted is None or loaded.members is None or wanted >= loaded.members.keys():
            return None
        parts = [ids for gallery, ids in loaded.members.items() if gallery in wanted]
        return (
            parts[0]
            if len(parts) == 1
            else np.sort(np.concatenate([np.empty(0, dtype=np.int64), *parts]))
        )
