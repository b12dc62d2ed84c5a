"""Nearest neighbours by inner product: a FAISS index, in memory or in a file."""

from __future__ import annotations

import hashlib
import importlib
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from indexes.forking import forked_after_import
from indexes.fusion import best as best_positions
from indexes.records import FloatArray, IdArray
from indexes.unsafe import create_exclusively, open_regular

_BLOCK = 1 << 20
_HEADER = 74
"""Bytes: for each of the two indexes of a file its type, 4, and the fields that all have, 33."""


@dataclass(frozen=True, slots=True)
class Published:
    """What the catalogue stores of a FAISS file."""

    generation: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The items of a `Nearest` that a search is among.

    Attributes:
        ids: int64 (n,), ascending.
        rows: of their vectors, int64, ascending; None: all rows.
        starts: where in `rows` the vectors of each item begin, int64 (n,); None: it has only one.
    """

    ids: IdArray
    rows: IdArray | None
    starts: IdArray | None

    def best(self, cosines: FloatArray) -> FloatArray:
        """The best cosine of each item: float32 (n,), of the cosines of all rows."""
        if self.starts is None or not len(self.starts):
            return cosines
        found: FloatArray = np.maximum.reduceat(cosines, self.starts)
        return found

    def parts(self, cosines: FloatArray, positions: IdArray) -> IdArray:
        """Which part of the items at these positions in `ids` is the best; 0: the whole."""
        found = np.zeros(len(positions), dtype=np.int64)
        if self.starts is not None:
            ends = np.append(self.starts[1:], len(cosines))
            for row, position in enumerate(positions):
                found[row] = np.argmax(cosines[self.starts[position] : ends[position]])
        return found


class Nearest:
    """Exact search for items by their unit vectors (`IndexFlatIP` in an `IndexIDMap2`).

    An item with parts has several vectors, one after the other: its own, then those of its parts.
    The best of them counts.
    """

    def __init__(self, faiss_index: Any) -> None:
        self._faiss_index = faiss_index

    @classmethod
    def build(cls, dim: int, chunks: Iterable[tuple[IdArray, FloatArray]]) -> Nearest:
        """From chunks of ids (n,), ascending, and vectors (n, dim).

        At most one chunk is in memory twice.
        """
        faiss = _faiss()
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
        for ids, vectors in chunks:
            index.add_with_ids(vectors, ids)
        return cls(index)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.ids)

    @cached_property
    def ids(self) -> IdArray:
        """The ids of the items, int64 (n,), ascending."""
        return self._ids_of_rows[self._starts]

    def choose(self, among: IdArray | None) -> Chosen:
        """Some items, by ids that this index has, ascending; None: all of them."""
        if among is None:
            return Chosen(self.ids, None, self._starts if self._has_parts else None)
        if not self._has_parts:
            return Chosen(among, np.searchsorted(self._ids_of_rows, among), None)
        wanted = np.zeros(int(self._ids_of_rows[-1]) + 1, dtype=np.bool_)
        wanted[among] = True
        rows = np.flatnonzero(wanted[self._ids_of_rows])
        return Chosen(among, rows, _first_rows(self._ids_of_rows[rows]))

    def cosines(self, query: FloatArray, chosen: Chosen) -> FloatArray:
        """Cosines of one query (dim,) with every vector of the chosen items: float32 (rows,).

        Equal vectors have equal cosines, and those that a search in all items gives them.
        """
        _single_threaded_after_fork()
        faiss, rows = _faiss(), chosen.rows
        scores = np.empty(len(self._ids_of_rows) if rows is None else len(rows), dtype=np.float32)
        given = np.ascontiguousarray(query, dtype=np.float32)
        if not len(scores):
            return scores
        out, vectors, dim = faiss.swig_ptr(scores), self._flat.get_xb(), self._flat.d
        if rows is None:
            faiss.fvec_inner_products_ny(out, faiss.swig_ptr(given), vectors, dim, len(scores))
        else:
            faiss.fvec_inner_products_by_idx(
                out, faiss.swig_ptr(given), vectors, faiss.swig_ptr(rows), dim, 1, len(rows)
            )
        return scores

    def search(
        self, queries: FloatArray, k: int, among: IdArray | None = None
    ) -> tuple[FloatArray, IdArray, IdArray]:
        """The k nearest items of each query, best first; equal scores in the order of ids.

        Args:
            queries: float32 (Q, dim), unit rows.
            k: at least 1; all items if there are fewer.
            among: ids to search, ascending, all of them in this index; None: all.

        Returns:
            Cosines float32 (Q, k') in [-1, 1], ids int64 (Q, k'), and which part of each item is
            the best, int64 (Q, k'), with k' = min(k, n).
        """
        chosen = self.choose(among)
        k = min(k, len(chosen.ids))
        scores = np.empty((len(queries), k), dtype=np.float32)
        ids, parts = (np.empty((len(queries), k), dtype=np.int64) for _ in range(2))
        if k == 0 or not len(queries):
            return scores, ids, parts
        if among is None:
            self._scan(queries, k, scores, ids, parts)
        else:
            for row, query in enumerate(queries):
                every = self.cosines(query, chosen)
                of_items = chosen.best(every)
                found = best_positions(of_items, k)
                scores[row], ids[row] = of_items[found], chosen.ids[found]
                parts[row] = chosen.parts(every, found)
        return np.clip(scores, -1.0, 1.0, out=scores), ids, parts

    def _scan(
        self, queries: FloatArray, k: int, scores: FloatArray, ids: IdArray, parts: IdArray
    ) -> None:
        """Search all items, and fill the arrays (Q, k)."""
        _single_threaded_after_fork()
        count = len(self._ids_of_rows)
        # One more than k: whether the next one is as good decides if ties are complete.
        fetched, open_queries = k + 1, np.arange(len(queries))
        while len(open_queries):
            fetched = min(fetched, count)
            near, rows = self._flat.search(queries[open_queries], fetched)
            unsettled = []
            for query, row_scores, found in zip(open_queries, near, rows, strict=True):
                order = np.lexsort((found, -row_scores))
                first = self._first_of_items(found[order])[:k]
                last = row_scores[order[-1]]
                if fetched < count and (len(first) < k or last == row_scores[order[first[-1]]]):
                    unsettled.append(query)
                    continue
                best = found[order[first]]
                scores[query], ids[query] = row_scores[order[first]], self._ids_of_rows[best]
                parts[query] = best - self._starts[np.searchsorted(self.ids, ids[query])]
            open_queries, fetched = np.array(unsettled, dtype=np.int64), 4 * fetched

    @cached_property
    def _flat(self) -> Any:
        return _faiss().downcast_index(self._faiss_index.index)

    @cached_property
    def _ids_of_rows(self) -> IdArray:
        ids: IdArray = _faiss().vector_to_array(self._faiss_index.id_map)
        return ids

    @cached_property
    def _starts(self) -> IdArray:
        """The row of each item's own vector."""
        return _first_rows(self._ids_of_rows)

    @property
    def _has_parts(self) -> bool:
        return len(self._starts) < len(self._ids_of_rows)

    def _first_of_items(self, rows: IdArray) -> IdArray:
        """Positions of the rows that are the first of their items."""
        if not self._has_parts:
            return np.arange(len(rows))
        first = np.unique(self._ids_of_rows[rows], return_index=True)[1]
        return np.sort(first)

    def save(self, file: Path, generation: int) -> Published:
        """Write a FAISS file under a temporary name, sync it to the disk, then replace `file`."""
        faiss = _faiss()
        partial = file.with_name(f"{file.name}.partial")
        digest = hashlib.sha256()
        size = 0
        try:
            with create_exclusively(partial) as stream:

                def write(block: bytes) -> None:
                    nonlocal size
                    digest.update(block)
                    size += stream.write(block)

                # Not by file name: FAISS accepts only names that are valid UTF-8.
                faiss.write_index(self._faiss_index, faiss.PyCallbackIOWriter(write))
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(partial, file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return Published(generation=generation, size=size, sha256=digest.hexdigest())


def load(file: Path, published: Published, dim: int) -> Nearest | None:
    """Read a FAISS file if it is byte for byte the one that was published; otherwise None.

    The digest is checked before FAISS reads the first byte: its reader trusts the lengths in a
    file.
    """
    faiss = _faiss()
    try:
        with open_regular(file) as stream:
            if os.fstat(stream.fileno()).st_size != published.size:
                return None
            if not _is_ours(stream.read(_HEADER), published.size, dim):
                return None
            stream.seek(0)
            if _sha256(stream, published.size) != published.sha256:
                return None
            stream.seek(0)
            reader = faiss.PyCallbackIOReader(stream.read)
            index = faiss.read_index(reader)
    except (OSError, RuntimeError, MemoryError):  # RuntimeError: a format that FAISS does not know
        return None
    if not isinstance(index, faiss.IndexIDMap2) or index.d != dim:
        return None
    if not isinstance(faiss.downcast_index(index.index), faiss.IndexFlatIP):
        return None
    return Nearest(index)


def _first_rows(ids_of_rows: IdArray) -> IdArray:
    """The first row of each item."""
    return np.flatnonzero(np.diff(ids_of_rows, prepend=-1))


def _faiss() -> Any:
    # At first use: it is slow to import, and listing the catalogue does not need it.
    return importlib.import_module("faiss")


def _single_threaded_after_fork() -> None:
    """Keep FAISS from waiting for ever in a forked child.

    The threads of its OpenMP runtime are not forked, but the thread that called fork still counts
    on them. Their number is a setting of the calling thread.
    """
    if forked_after_import("faiss"):
        _faiss().omp_set_num_threads(1)


def _is_ours(header: bytes, size: int, dim: int) -> bool:
    """Whether a FAISS file of this size, by its first bytes, is one that `Nearest.save` writes.

    An `IndexIDMap2` of an `IndexFlatIP`: the counts in it say how large the file is.
    """
    if len(header) < _HEADER:
        return False
    outer, d, count = struct.unpack_from("<4siq", header)
    inner, inner_d, inner_count = struct.unpack_from("<4siq", header, _HEADER // 2)
    return bool(
        (outer, inner) == (b"IxM2", b"IxFI")
        and d == inner_d == dim
        and 0 <= count == inner_count
        and size == _HEADER + 16 + count * (4 * dim + 8)
    )


def _sha256(stream: BinaryIO, size: int) -> str:
    """Of the first `size` bytes."""
    digest = hashlib.sha256()
    while size and (block := stream.read(min(_BLOCK, size))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()
