"""An index: one folder that remembers pictures and finds the nearest of their vectors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from indexes import reading, writing
from indexes.database import CATALOGUE_NAME, create_catalogue, open_catalogue, put_into_words
from indexes.errors import BadSearch, DamagedIndex, FolderTaken, RecipeMismatch, from_os_error
from indexes.lock import LOCK_NAME, WriteLock
from indexes.nearest import IdArray, Nearest, load
from indexes.recipe import Recipe
from indexes.records import Counts, FloatArray, Known, Picture, Record
from indexes.unit_vectors import check_unit_rows

_log = logging.getLogger(__name__)


class Index:
    """One index folder: a SQLite catalogue with the vectors, and a FAISS file made from them.

    Made by `Index.create` or `Index.open`; a context manager that closes its files. Every writing
    method is one transaction and takes the write lock unless `lock()` holds it already. Safe to
    search from several threads. All methods may raise `DamagedIndex`, `IndexBusy`,
    `ReadOnlyIndex` (writing ones) and `StorageFailed`.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._folder = folder
        self._engine = engine
        self._write_lock = WriteLock(folder)
        self._refresh = threading.Lock()
        self._loaded: tuple[int, Nearest] | None = None
        with self._read() as session:
            self._gallery_id, root = reading.gallery(session)
            self._space_id, self._recipe = reading.space(session)
        self._root = Path(root)

    @classmethod
    def create(cls, folder: Path | str, *, root: Path | str, recipe: Recipe) -> Index:
        """Make an empty index in a new or empty folder.

        Args:
            folder: where; missing parents are made.
            root: the gallery's root, stored as an absolute path.
            recipe: how all of its vectors will be made.

        Raises:
            FolderTaken: the folder holds an index or anything else.
            ReadOnlyIndex: it cannot be written to.
        """
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise FolderTaken(f"{folder}: this is a file; choose another name.") from error
        except OSError as error:
            raise from_os_error(folder, error) from error
        _refuse_taken(folder)
        with WriteLock(folder), put_into_words(folder):
            _refuse_taken(folder)
            create_catalogue(folder, Path(root).absolute(), recipe)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path | str) -> Index:
        """Open an existing index.

        Raises:
            NotAnIndex: no such folder, or not an index.
            NewerFormat: written by a newer version of this program.
            DamagedIndex: the catalogue cannot be read.
        """
        folder = Path(folder)
        engine = open_catalogue(folder)
        try:
            return cls(folder, engine)
        except BaseException:
            engine.dispose()
            raise

    def close(self) -> None:
        """Close the catalogue and drop the vectors from memory."""
        self._loaded = None
        self._engine.dispose()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """The index's own folder."""
        return self._folder

    @property
    def root(self) -> Path:
        """The gallery's root: pictures' paths are relative to it."""
        return self._root

    @property
    def recipe(self) -> Recipe:
        """How the vectors were made."""
        return self._recipe

    def require(self, recipe: Recipe) -> None:
        """Refuse a recipe whose vectors cannot be compared with the stored ones.

        Raises:
            RecipeMismatch: names what differs, and the way out.
        """
        if recipe != self._recipe:
            raise RecipeMismatch(
                f"{self._folder}: this index was made with the model {self._recipe.model!r} in "
                f"the space {self._recipe.space!r} and cannot be used with {recipe.model!r} in "
                f"{recipe.space!r} ({self._recipe.describe_differences(recipe)}). Use the model "
                "that it was made with, or index the gallery again into another folder."
            )

    def lock(self) -> WriteLock:
        """The right to write, for a `with` block of several writes.

        Entering raises `IndexBusy` at once if somebody else has it. The system releases it when
        the process ends, however it ends.
        """
        return self._write_lock

    def write(self, records: Sequence[Record]) -> None:
        """Store pictures with their vectors, or with the reason why they have none.

        One transaction: after a crash all of them are there, or none. A path that is known keeps
        its id, and its facts and vector are replaced.

        Raises:
            BadRecord: the same path twice.
            BadVector: a vector that is not float32, of shape (dim,), finite and of unit length.
        """
        blobs = writing.checked_blobs(records, self._recipe.dim)
        if records:
            with self._write() as session:
                writing.upsert(session, self._gallery_id, self._space_id, records, blobs)

    def forget(self, paths: Iterable[str]) -> int:
        """Remove pictures; unknown paths are passed over. Returns how many were removed."""
        with self._write() as session:
            return writing.forget(session, self._gallery_id, paths)

    def rename(self, moves: Mapping[str, str]) -> None:
        """Give pictures new paths ({old: new}) in one transaction; ids and vectors stay.

        Raises:
            UnknownPicture: an old path that is not in the catalogue.
            BadRecord: a new path that is malformed, twice, or not free.
        """
        with self._write() as session:
            writing.rename(session, self._gallery_id, moves)

    def touch(self, mtimes: Mapping[str, int]) -> None:
        """Set `mtime_ns` ({path: mtime_ns}) of files whose content has not changed.

        Raises:
            UnknownPicture: a path that is not in the catalogue.
        """
        with self._write() as session:
            writing.touch(session, self._gallery_id, mtimes)

    def relocate(self, root: Path | str) -> None:
        """Say that the gallery's folder, its content unchanged, lies elsewhere now."""
        absolute = Path(root).absolute()
        with self._write() as session:
            writing.relocate(session, self._gallery_id, str(absolute))
        self._root = absolute

    def known(self) -> dict[str, Known]:
        """All pictures by path, with what tells whether a file has changed."""
        with self._read() as session:
            return reading.known(session, self._gallery_id)

    def pictures(self, ids: Sequence[int] | IdArray) -> dict[int, Picture]:
        """Pictures by id, in the order of `ids`.

        Raises:
            UnknownPicture: an id that is not in the catalogue.
        """
        with self._read() as session:
            return reading.pictures(session, [int(id_) for id_ in ids])

    def skipped(self) -> list[Picture]:
        """Pictures that have no vector, by path, each with its `error`."""
        with self._read() as session:
            return reading.skipped(session, self._gallery_id)

    def counts(self) -> Counts:
        """Number of pictures by state."""
        with self._read() as session:
            return reading.counts(session, self._gallery_id)

    def vectors(self, ids: Sequence[int] | IdArray) -> FloatArray:
        """Stored vectors: float32 (len(ids), dim), unit rows, in the order of `ids`.

        Raises:
            UnknownPicture: an id without a vector.
        """
        with self._read() as session:
            wanted = [int(id_) for id_ in ids]
            return reading.vectors(session, self._space_id, self._recipe.dim, wanted)

    def search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IdArray]:
        """The k pictures nearest to each query, best first; equal scores in the order of ids.

        Sees everything that was committed before the call, by this process or another.

        Args:
            queries: float32 (Q, dim), unit rows.
            k: at least 1.

        Returns:
            Scores float32 (Q, k'), cosines in [-1, 1], and ids int64 (Q, k'), with
            k' = min(k, number of indexed pictures), which may be 0.

        Raises:
            BadVector: queries of the wrong dtype or shape, not finite, or not of unit length.
            BadSearch: k < 1.
        """
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise BadSearch(f"k must be a whole number of at least 1, not {k!r}.")
        rows = check_unit_rows(queries, self._recipe.dim, "the query vectors")
        return self._nearest()[1].search(rows, int(k))

    def publish(self) -> None:
        """Write the FAISS file, so that the next `open` need not make it from the catalogue.

        The file is replaced atomically, and only if it is missing, stale or damaged. Search never
        depends on it.
        """
        with self._write_lock:
            with self._read() as session:
                if self._from_file(session) is not None:
                    return
            generation, nearest = self._nearest()
            try:
                published = nearest.save(self._faiss_file(), generation)
            except OSError as error:
                raise from_os_error(self._folder, error) from error
            with self._write() as session:
                writing.remember_published(session, self._space_id, published)

    def verify(self) -> None:
        """Read the whole catalogue and check it, vectors included.

        Raises:
            DamagedIndex: says what is wrong.
        """
        with self._read() as session:
            problems = reading.contradictions(session)
            if problems:
                raise DamagedIndex(self._folder, "; ".join(problems))
            for _ in reading.vector_chunks(session, self._space_id, self._recipe.dim):
                pass

    def _nearest(self) -> tuple[int, Nearest]:
        """The current generation and its vectors: from memory, the FAISS file, or the catalogue."""
        with self._refresh, self._read() as session:
            generation = reading.generation(session, self._space_id)
            if self._loaded is None or self._loaded[0] != generation:
                self._loaded = None  # before the new one is made: memory for one, not for two
                nearest = self._from_file(session)
                if nearest is None:
                    _log.info("%s: making the nearest-neighbour index", self._folder)
                    chunks = reading.vector_chunks(session, self._space_id, self._recipe.dim)
                    nearest = Nearest.build(self._recipe.dim, chunks)
                self._loaded = (generation, nearest)
            return self._loaded

    def _from_file(self, session: Session) -> Nearest | None:
        published = reading.published(session, self._space_id)
        if published is None:
            return None
        if published.generation != reading.generation(session, self._space_id):
            return None
        return load(self._faiss_file(), published, self._recipe.dim)

    def _faiss_file(self) -> Path:
        return self._folder / f"vectors-{self._space_id}.faiss"

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with put_into_words(self._folder), Session(self._engine) as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        with (
            self._write_lock,
            put_into_words(self._folder),
            Session(self._engine) as session,
            session.begin(),
        ):
            yield session


def _refuse_taken(folder: Path) -> None:
    """Allow what a `create` that was killed leaves behind, and nothing else."""
    names = {entry.name for entry in folder.iterdir()}
    if CATALOGUE_NAME in names:
        raise FolderTaken(f"{folder}: holds an index already; open it, or choose another folder.")
    allowed = {LOCK_NAME, f"{CATALOGUE_NAME}.partial", f"{CATALOGUE_NAME}.partial-journal"}
    if names - allowed:
        raise FolderTaken(
            f"{folder}: holds other files ({sorted(names - allowed)[0]!r} ...), and an index wants "
            "a folder of its own; choose a new name."
        )
