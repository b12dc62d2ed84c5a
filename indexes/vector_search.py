"""Search in the spaces of one index, with the vectors kept in memory until they change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from indexes import queries
from indexes.catalogue import Contents
from indexes.conditions import Condition
from indexes.errors import BadSearch, DamagedIndex, IncompleteSpace
from indexes.fusion import check_fusion, fuse_best
from indexes.nearest import Chosen, Nearest, Published, load
from indexes.parts import boxes
from indexes.queries import StoredGallery, StoredSpace
from indexes.records import Box, FloatArray, IdArray, ItemPath, SearchResult
from indexes.selection import select_ids
from indexes.unit_vectors import check_unit_rows

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedSpace:
    """The vectors of one space at one generation.

    Attributes:
        generation, index_id: of the catalogue that they were read from.
        nearest: the vectors.
        members: gallery id -> ids of its items in `nearest`, int64, ascending; None if the index
            has one gallery only.
        incomplete: galleries of which some items have no vector in the space.
    """

    generation: int
    index_id: str | None
    nearest: Nearest
    members: Mapping[int, IdArray] | None
    incomplete: Sequence[StoredGallery]


class VectorSearch:
    """The vectors of an index in memory.

    Each method runs inside the caller's transaction and answers for the state that it sees. Safe to
    use from several threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._refresh = threading.Lock()
        self._loaded: dict[int, LoadedSpace] = {}

    def clear(self) -> None:
        """Drop the vectors from memory."""
        self._loaded = {}

    def search(
        self,
        session: Session,
        contents: Contents,
        vectors: FloatArray,
        k: int,
        space: str | None,
        modalities: Collection[str] | None,
        where: Condition | None,
        items: bool,
    ) -> SearchResult:
        """The nearest items of each query in one space; see `Index.search`."""
        k = _check_k(k)
        stored, galleries = contents.space(space), contents.chosen(modalities)
        rows = check_unit_rows(vectors, stored.recipe.dim, "query vectors")
        (loaded,) = self._current(session, contents, [stored])
        among = self._among(loaded, stored, galleries, _allowed(session, where))
        scores, ids, parts = loaded.nearest.search(rows, k, among)
        cosines = {stored.recipe.space: scores}
        if not items:
            return SearchResult(scores, ids, cosines, {}, parts, {}, {})
        paths, frames = _item_paths(session, contents, ids)
        places = _boxes(session, stored.id, ids, parts)
        return SearchResult(scores, ids, cosines, paths, parts, places, frames)

    def search_fused(
        self,
        session: Session,
        contents: Contents,
        vectors: Mapping[str, FloatArray],
        k: int,
        weights: Mapping[str, float],
        fusion: str,
        modalities: Collection[str] | None,
        where: Condition | None,
        items: bool,
    ) -> SearchResult:
        """The best items of each query over several spaces; see `Index.search_fused`."""
        k, galleries = _check_k(k), contents.chosen(modalities)
        check_fusion(weights, fusion)
        if weights.keys() != vectors.keys():
            raise BadSearch("the spaces of the weights are not those of the queries")
        spaces = {name: contents.space(name) for name in weights}
        rows = {
            name: check_unit_rows(vectors[name], space.recipe.dim, f"query vectors in {name!r}")
            for name, space in spaces.items()
        }
        count = len(next(iter(rows.values())))
        if any(len(given) != count for given in rows.values()):
            raise BadSearch("the spaces have different numbers of queries")
        current = self._current(session, contents, list(spaces.values()))
        loaded = dict(zip(spaces, current, strict=True))
        chosen = self._common(loaded, spaces, galleries, _allowed(session, where))
        first = next(iter(weights))
        ids = chosen[first].ids
        k = min(k, len(ids))
        scores = np.empty((count, k), dtype=np.float64)
        found, parts = (np.empty((count, k), dtype=np.int64) for _ in range(2))
        cosines = {name: np.empty((count, k), dtype=np.float32) for name in weights}
        for row in range(count if k else 0):
            # One query at a time, so that one score for each item and space is held in memory.
            every = {
                name: loaded[name].nearest.cosines(rows[name][row], chosen[name])
                for name in weights
            }
            given = {name: chosen[name].best(every[name]) for name in weights}
            best, scores[row] = fuse_best(given, weights, fusion, k)
            found[row], parts[row] = ids[best], chosen[first].parts(every[first], best)
            for name in weights:
                np.clip(given[name][best], -1.0, 1.0, out=cosines[name][row])
        if not items:
            return SearchResult(scores, found, cosines, {}, parts, {}, {})
        paths, frames = _item_paths(session, contents, found)
        places = _boxes(session, spaces[first].id, found, parts)
        return SearchResult(scores, found, cosines, paths, parts, places, frames)

    def publish(self, session: Session, contents: Contents, space: StoredSpace) -> Published | None:
        """Write the FAISS file of a space; None if the file there is up to date already.

        Vectors that were loaded for this alone do not stay in memory.
        """
        generation, _ = queries.generations(session, contents.version)[space.id]
        if self._from_file(session, space, generation) is not None:
            return None
        extra = bool(self._loaded) and space.id not in self._loaded
        (loaded,) = self._current(session, contents, [space])
        published = loaded.nearest.save(self._file(space), loaded.generation)
        if extra:
            self._loaded.pop(space.id, None)
        return published

    def _current(
        self, session: Session, contents: Contents, spaces: Sequence[StoredSpace]
    ) -> list[LoadedSpace]:
        """The vectors of spaces as the session sees them."""
        with self._refresh:
            generations = queries.generations(session, contents.version)
            return [self._space(session, space, generations) for space in spaces]

    def _space(
        self,
        session: Session,
        space: StoredSpace,
        generations: Mapping[int, tuple[int, str | None]],
    ) -> LoadedSpace:
        if space.id not in generations:
            raise DamagedIndex(self._folder, f"the space {space.recipe.space!r} is gone")
        generation, index_id = generations[space.id]
        loaded = self._loaded.get(space.id)
        if loaded is not None and (loaded.generation, loaded.index_id) == (generation, index_id):
            return loaded
        # Dropped before the new vectors are read, so that memory holds one copy, not two.
        del loaded
        self._loaded.pop(space.id, None)
        nearest = self._from_file(session, space, generation)
        if nearest is None:
            _log.info("%s: loading the vectors from the catalogue", self._folder)
            dim = space.recipe.dim
            nearest = Nearest.build(dim, queries.vector_chunks(session, space.id, dim))
        contents = Contents.read(session, self._folder)
        members = None
        if len(contents.galleries) > 1:
            ids = nearest.ids
            members = {
                gallery: found[np.isin(found, ids)]
                for gallery, found in queries.members(session).items()
            }
        uncovered = queries.uncovered(session, contents.version)
        incomplete = [
            gallery
            for gallery in contents.galleries.values()
            if (space.id, gallery.id) in uncovered
        ]
        fresh = LoadedSpace(generation, index_id, nearest, members, incomplete)
        self._loaded[space.id] = fresh
        return fresh

    def _from_file(self, session: Session, space: StoredSpace, generation: int) -> Nearest | None:
        """The vectors of the FAISS file, if they are those of this generation."""
        published = queries.published(session, space.id)
        if published is None or published.generation != generation:
            return None
        return load(self._file(space), published, space.recipe.dim)

    def _file(self, space: StoredSpace) -> Path:
        return self._folder / f"vectors-{space.id}.faiss"

    def _common(
        self,
        loaded: Mapping[str, LoadedSpace],
        spaces: Mapping[str, StoredSpace],
        galleries: Sequence[StoredGallery] | None,
        allowed: IdArray | None,
    ) -> dict[str, Chosen]:
        """The items to rank, which are the same in each space."""
        chosen = {
            name: one.nearest.choose(self._among(one, spaces[name], galleries, allowed))
            for name, one in loaded.items()
        }
        first, *others = (one.ids for one in chosen.values())
        if not all(np.array_equal(first, ids) for ids in others):
            raise DamagedIndex(self._folder, "its spaces do not hold the same items")
        return chosen

    def _among(
        self,
        loaded: LoadedSpace,
        space: StoredSpace,
        galleries: Sequence[StoredGallery] | None,
        allowed: IdArray | None,
    ) -> IdArray | None:
        """Ids of the items of the galleries that are allowed, ascending; None: all."""
        members = self._members(loaded, space, galleries)
        if allowed is None:
            return members
        stored = loaded.nearest.ids if members is None else members
        return np.intersect1d(stored, allowed, assume_unique=True)

    def _members(
        self, loaded: LoadedSpace, space: StoredSpace, galleries: Sequence[StoredGallery] | None
    ) -> IdArray | None:
        """Ids of the items of the galleries, ascending; None: all."""
        wanted = None if galleries is None else {gallery.id for gallery in galleries}
        for gallery in loaded.incomplete:
            if wanted is None or gallery.id in wanted:
                raise IncompleteSpace(
                    self._folder, space.recipe.space, gallery.reading.modality, gallery.root
                )
        if wanted is None or loaded.members is None or wanted >= loaded.members.keys():
            return None
        parts = [ids for gallery, ids in loaded.members.items() if gallery in wanted]
        if len(parts) == 1:
            return parts[0]
        return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *parts]))


def _allowed(session: Session, where: Condition | None) -> IdArray | None:
    """Ids of the items that a condition holds for, ascending; None: there is none."""
    return None if where is None else select_ids(session, where)


def _item_paths(
    session: Session, contents: Contents, ids: IdArray
) -> tuple[dict[int, ItemPath], dict[int, int]]:
    return queries.item_paths(session, contents.version, np.unique(ids).tolist())


def _boxes(
    session: Session, space_id: int, ids: IdArray, parts: IdArray
) -> dict[tuple[int, int], Box]:
    """(id, part) -> box of the parts that are the best of their items."""
    if not parts.any():
        return {}
    found = boxes(session, space_id, np.unique(ids[parts > 0]).tolist())
    pairs = zip(ids[parts > 0].tolist(), parts[parts > 0].tolist(), strict=True)
    return {(id_, part): found[id_][part - 1] for id_, part in pairs}


def _check_k(k: object) -> int:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise BadSearch(f"k must be an integer, got {k!r}")
    if k < 1:
        raise BadSearch(f"k must be >= 1, got {k}")
    return int(k)
