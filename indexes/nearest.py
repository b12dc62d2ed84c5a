"""Nearest neighbours by inner product: a FAISS index, in memory or in a file."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from indexes.forking import forked_after_import
from indexes.records import FloatArray, IdArray

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Published:
    """What the catalogue stores of a FAISS file."""

    generation: int
    size: int
    sha256: str


class Nearest:
    """Exact search over unit vectors (`IndexFlatIP` in an `IndexIDMap2`)."""

    def __init__(self, faiss_index: Any) -> None:
        self._faiss_index = faiss_index

    @classmethod
    def build(cls, dim: int, chunks: Iterable[tuple[IdArray, FloatArray]]) -> Nearest:
        """From chunks of ids (n,) and vectors (n, dim); at most one chunk is in memory twice."""
        faiss = _faiss()
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
        for ids, vectors in chunks:
            index.add_with_ids(vectors, ids)
        return cls(index)

    def __len__(self) -> int:
        return int(self._faiss_index.ntotal)

    @property
    def ids(self) -> IdArray:
        """The ids, int64 (n,), in the order in which they were added."""
        ids: IdArray = _faiss().vector_to_array(self._faiss_index.id_map)
        return ids

    def cosines(self, query: FloatArray) -> FloatArray:
        """Cosines of one query (dim,) with every vector: float32 (n,), in the order of `ids`."""
        faiss = _faiss()
        if not len(self):
            return np.empty(0, dtype=np.float32)
        flat = faiss.downcast_index(self._faiss_index.index)
        # A view of the memory of FAISS: nothing is copied.
        vectors = faiss.rev_swig_ptr(flat.get_xb(), len(self) * flat.d).reshape(len(self), flat.d)
        scores: FloatArray = vectors @ query
        return scores

    def search(
        self, queries: FloatArray, k: int, among: IdArray | None = None
    ) -> tuple[FloatArray, IdArray]:
        """The k nearest vectors of each query, best first; equal scores in the order of ids.

        Args:
            queries: float32 (Q, dim), unit rows.
            k: at least 1; all vectors if there are fewer.
            among: ids to search, ascending, all of them in this index; None: all.

        Returns:
            Cosines float32 (Q, k') in [-1, 1] and ids int64 (Q, k'), k' = min(k, n).
        """
        k = min(k, len(self) if among is None else len(among))
        if k == 0 or not len(queries):
            shape = (len(queries), k)
            return np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int64)
        _single_threaded_after_fork()
        scores, ids = self._faiss_index.search(queries, k, params=_search_among(among))
        order = np.lexsort((ids, -scores), axis=-1)
        scores = np.take_along_axis(scores, order, axis=-1)
        ids = np.take_along_axis(ids, order, axis=-1)
        return np.clip(scores, -1.0, 1.0, out=scores), ids

    def save(self, file: Path, generation: int) -> Published:
        """Write a FAISS file under a temporary name, sync it to the disk, then replace `file`."""
        faiss = _faiss()
        partial = file.with_name(f"{file.name}.partial")
        digest = hashlib.sha256()
        size = 0
        try:
            with partial.open("wb") as stream:

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
        with file.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size != published.size:
                return None
            if _sha256(stream) != published.sha256:
                return None
            stream.seek(0)
            reader = faiss.PyCallbackIOReader(stream.read)
            index = faiss.read_index(reader)
    except (OSError, RuntimeError):  # RuntimeError: a format that this FAISS does not know
        return None
    if not isinstance(index, faiss.IndexIDMap2) or index.d != dim:
        return None
    return Nearest(index)


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


def _search_among(ids: IdArray | None) -> Any:
    """Parameters of a FAISS search among some ids, ascending; for one search."""
    if ids is None:
        return None
    faiss = _faiss()
    bits = np.zeros(int(ids[-1]) + 1, dtype=np.uint8)
    bits[ids] = 1
    selector = faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))
    return faiss.SearchParameters(sel=selector)


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
