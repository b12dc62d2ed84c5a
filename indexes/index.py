"""An index: one folder that remembers pictures and finds the nearest of their vectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from indexes import writing
from indexes.database import CATALOGUE_NAME, create_catalogue, open_catalogue, put_into_words
from indexes.errors import (
    BadSearch,
    DamagedIndex,
    FolderTaken,
    ReadingMismatch,
    RecipeMismatch,
    from_os_error,
)
from indexes.fusing import check_fusion
from indexes.gallery_items import GalleryItems
from indexes.lock import LOCK_NAME, WriteLock
from indexes.nearest import IdArray
from indexes.reading import contradictions, vector_chunks
from indexes.recipe import IMAGES, Reading, Recipe, check_recipes
from indexes.records import FloatArray
from indexes.searching import Fused
from indexes.unit_vectors import check_unit_rows


class Index(GalleryItems):
    """One index folder: a SQLite catalogue with the vectors, and FAISS files made from them.

    It holds galleries, one of a kind, and has each of their pictures in every embedding space.
    Where a method takes a `kind`, None is the first gallery, and where it takes a `space`, None is
    the first space: often the only one.

    Made by `Index.create` or `Index.open`; a context manager that closes its files. Every writing
    method is one transaction and takes the write lock unless `lock()` holds it already; the first
    one upgrades a catalogue of an older format. Safe to search from several threads. All methods
    may raise `DamagedIndex`, `IndexBusy`, `ReadOnlyIndex` (writing ones) and `StorageFailed`.
    """

    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        root: Path | str,
        recipe: Recipe | Sequence[Recipe],
        reading: Reading = IMAGES,
    ) -> Index:
        """Make an empty index in a new or empty folder.

        Args:
            folder: where; missing parents are made.
            root: the first gallery's root, stored as an absolute path.
            recipe: how the vectors of each space will be made; the first space is the default.
            reading: what the first gallery's items are.

        Raises:
            FolderTaken: the folder holds an index or anything else.
            ReadOnlyIndex: it cannot be written to.
            BadRecipe: no space, or one twice.
        """
        folder = Path(folder)
        recipes = check_recipes([recipe] if isinstance(recipe, Recipe) else recipe)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise FolderTaken(f"{folder}: this is a file; choose another name.") from error
        except OSError as error:
            raise from_os_error(folder, error) from error
        _refuse_taken(folder)
        with WriteLock(folder), put_into_words(folder):
            _refuse_taken(folder)
            create_catalogue(folder, Path(root).absolute(), reading, recipes)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path | str) -> Index:
        """Open an existing index, of this format or an older one.

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

    def require(self, recipe: Recipe, *, space: str | None = None) -> None:
        """Refuse a recipe whose vectors cannot be compared with those of a space.

        Args:
            recipe: how the vectors at hand are made.
            space: whose recipe to compare with; None: the one that the recipe names.

        Raises:
            RecipeMismatch: names what differs, and the way out.
        """
        name = recipe.space if space is None else space
        own = self._spaces[name].recipe if name in self._spaces else self.recipe
        if recipe != own:
            raise RecipeMismatch(
                f"{self._folder}: this index was made with the model {own.model!r} in "
                f"the space {own.space!r} and cannot be used with {recipe.model!r} in "
                f"{recipe.space!r} ({own.describe_differences(recipe)}). Use the model "
                "that it was made with, or index the gallery again into another folder."
            )

    def require_reading(self, reading: Reading) -> None:
        """Refuse to read a gallery's items in another way than before.

        Raises:
            ReadingMismatch: names what differs, and the way out.
        """
        own = self._gallery(reading.kind).reading
        if own.options != reading.options:
            raise ReadingMismatch(
                f"{self._folder}: the items of its gallery {own.kind} were read with "
                f"{own.options or 'no options'} and cannot be mixed with such as are read with "
                f"{reading.options or 'no options'}. Give the same options, or index into another "
                "folder."
            )
        if own.reader != reading.reader:
            raise ReadingMismatch(
                f"{self._folder}: the model reads the kind {own.kind} with other parts than when "
                "this gallery was indexed, so that old and new vectors cannot be compared. Use the "
                "model that it was made with, or index into another folder."
            )

    def add_gallery(self, reading: Reading, root: Path | str) -> None:
        """Add an empty gallery of a kind that the index does not have yet.

        Raises:
            FolderTaken: it has one of that kind.
        """
        with self._write() as session:
            if reading.kind in self._galleries:
                raise FolderTaken(
                    f"{self._folder}: has a gallery of the kind {reading.kind} already, of "
                    f"{self._galleries[reading.kind].root}; choose another folder."
                )
            writing.add_gallery(session, reading, str(Path(root).absolute()))
            self._read_heads(session)

    def add_space(self, recipe: Recipe) -> None:
        """Add a space. It can be searched once `fill` and `complete` have done their work.

        Raises:
            BadRecipe: the index has a space of that name.
        """
        with self._write() as session:
            check_recipes([*self.recipes.values(), recipe])
            writing.add_space(session, recipe)
            self._read_heads(session)

    def search(
        self,
        queries: FloatArray,
        k: int,
        *,
        space: str | None = None,
        kinds: Collection[str] | None = None,
    ) -> tuple[FloatArray, IdArray]:
        """The k pictures nearest to each query, best first; equal scores in the order of ids.

        Exact. Sees everything that was committed before the call, by this process or another.

        Args:
            queries: float32 (Q, dim), unit rows.
            k: at least 1.
            space: the embedding space of the queries.
            kinds: galleries to search; None: all.

        Returns:
            Scores float32 (Q, k'), cosines in [-1, 1], and ids int64 (Q, k'), with
            k' = min(k, number of indexed pictures), which may be 0.

        Raises:
            BadVector: queries of the wrong dtype or shape, not finite, or not of unit length.
            BadSearch: k < 1, a space or kind that the index does not have.
            IncompleteSpace: a space that was added and not filled yet.
        """
        k, stored, galleries = _check_k(k), self._space(space), self._chosen(kinds)
        rows = check_unit_rows(queries, stored.recipe.dim, "the query vectors")
        with self._read() as session:
            (loaded,) = self._searcher.current(session, self._version, [stored])
        return self._searcher.nearest(loaded, stored, galleries, rows, k)

    def search_fused(
        self,
        queries: Mapping[str, FloatArray],
        k: int,
        *,
        weights: Mapping[str, float] | None = None,
        fusion: str = "rrf",
        kinds: Collection[str] | None = None,
    ) -> Fused:
        """The k best pictures of each query over several spaces, by their full rankings in each.

        Args:
            queries: space -> float32 (Q, dim), unit rows, of the same Q queries.
            k: at least 1.
            weights: space -> its weight, above 0; None: 1 each.
            fusion: "rrf" or "scores", see `indexes.fusing.fuse`.
            kinds: galleries to search, among whose pictures ranks count; None: all.

        Raises:
            As `search`; BadSearch: also for no space, a wrong weight, an unknown fusion.
        """
        k, galleries = _check_k(k), self._chosen(kinds)
        shares = dict.fromkeys(queries, 1.0) if weights is None else dict(weights)
        check_fusion(shares, fusion)
        if shares.keys() != queries.keys():
            raise BadSearch("the spaces of the weights are not those of the queries.")
        spaces = {name: self._space(name) for name in shares}
        rows = {
            name: check_unit_rows(queries[name], space.recipe.dim, f"the query vectors in {name!r}")
            for name, space in spaces.items()
        }
        if len({len(found) for found in rows.values()}) > 1:
            raise BadSearch("the spaces have different numbers of queries.")
        with self._read() as session:
            current = self._searcher.current(session, self._version, list(spaces.values()))
        loaded = dict(zip(spaces, current, strict=True))
        return self._searcher.fused(loaded, spaces, galleries, rows, shares, fusion, k)

    def publish(self) -> None:
        """Write the FAISS files, so that the next `open` need not make them from the catalogue.

        A file is replaced atomically, and only if it is missing, stale or damaged. Search never
        depends on it.
        """
        with self._write_lock:
            for space in self._spaces.values():
                with self._read() as session:
                    try:
                        published = self._searcher.publish(session, self._version, space)
                    except OSError as error:
                        raise from_os_error(self._folder, error) from error
                if published is not None:
                    with self._write() as session:
                        writing.remember_published(session, space.id, published)

    def verify(self) -> None:
        """Read the whole catalogue and check it, vectors included.

        Raises:
            DamagedIndex: says what is wrong.
        """
        with self._read() as session:
            problems = contradictions(session, self._version)
            if problems:
                raise DamagedIndex(self._folder, "; ".join(problems))
            for space in self._spaces.values():
                for _ in vector_chunks(session, space.id, space.recipe.dim):
                    pass


def _check_k(k: object) -> int:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise BadSearch(f"k must be a whole number of at least 1, not {k!r}.")
    return int(k)


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
