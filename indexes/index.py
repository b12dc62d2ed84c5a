"""An index: one folder that stores items with their vectors and finds the nearest of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from indexes import changes, parts, queries
from indexes.catalogue import Catalogue
from indexes.conditions import Condition
from indexes.creating import check_folder, create_index, remove_index
from indexes.detail_store import DetailStore
from indexes.errors import DamagedIndex, FolderTaken, from_os_error
from indexes.info import IndexInfo
from indexes.lock import WriteLock
from indexes.recipe import IMAGES, Reading, Recipe, check_recipes
from indexes.records import (
    Counts,
    FileInfo,
    FloatArray,
    IdArray,
    Item,
    Part,
    Record,
    SearchResult,
    Shape,
    SnapshotEntry,
)
from indexes.selection import select_ids
from indexes.vector_search import VectorSearch


class Index(IndexInfo):
    """One index folder: a SQLite catalogue with the vectors, and FAISS files made from them.

    It has one gallery for each modality, and a vector of each of their items in every embedding
    space. Where a method takes a `modality`, None is the first gallery; where it takes a `space`,
    None is the first space.

    Made by `Index.create` or `Index.open`; a context manager that closes its files. Every method
    that writes is one transaction and takes the write lock unless `lock()` holds it already; the
    first one upgrades a catalogue of an older format. Safe to use from several threads. It can be
    pickled, which opens the folder again, and used in a forked child, which opens connections of
    its own; a write lock that the parent holds is not held by the child. All methods may raise
    `ClosedIndex`, `DamagedIndex`, `IndexBusy`, `ReplacedIndex`, `StorageFailed` and, if they write,
    `ReadOnlyIndex`.

    Attributes:
        details: what the metadata of image files say, see `DetailStore`.

    Raises:
        NotAnIndex, NewerFormat, DamagedIndex: see `Index.open`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._vectors = VectorSearch(folder)
        self._catalogue = Catalogue(folder, self._vectors.clear)
        self.details = DetailStore(self._catalogue)

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
            folder: of the index; missing parents are made.
            root: root of the first gallery, stored as an absolute path.
            recipe: how the vectors of each space will be made; the first space is the default.
            reading: how the items of the first gallery are read.

        Raises:
            FolderTaken: the folder holds an index or anything else.
            ReadOnlyIndex: it cannot be written to.
            BadRecipe: no space, or the same space twice.
        """
        recipes = check_recipes([recipe] if isinstance(recipe, Recipe) else recipe)
        check_folder(folder)
        create_index(Path(folder), Path(root).absolute(), reading, recipes)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path | str) -> Index:
        """Open an existing index, of this format or an older one.

        Raises:
            NotAnIndex: no such folder, or not an index.
            NewerFormat: written by a newer version of this program.
            DamagedIndex: the catalogue cannot be read.
        """
        check_folder(folder)
        return cls(Path(folder))

    def close(self) -> None:
        """Close the catalogue and drop the vectors from memory. May be called again."""
        self._vectors.clear()
        self._catalogue.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).open, (self._catalogue.absolute_folder,)

    def lock(self) -> WriteLock:
        """The right to write, as a context manager for a block of several writes.

        Entering raises `IndexBusy` at once if it is held elsewhere. The system releases it when
        the process ends, however it ends.
        """
        return self._catalogue.lock

    def add_gallery(self, reading: Reading, root: Path | str) -> None:
        """Add an empty gallery of a modality that the index does not have yet.

        Raises:
            FolderTaken: it has one of that modality.
        """
        with self._catalogue.write() as (session, contents):
            if (taken := contents.galleries.get(reading.modality)) is not None:
                raise FolderTaken(
                    f"this index already has a gallery of modality {reading.modality}, of "
                    f"{taken.root}; choose another folder",
                    where=self._folder,
                )
            changes.add_gallery(session, reading, str(Path(root).absolute()))

    def add_space(self, recipe: Recipe) -> None:
        """Add a space. It can be searched after `add_vectors` and `mark_complete`.

        Raises:
            BadRecipe: the index has a space of that name.
        """
        with self._catalogue.write() as (session, contents):
            check_recipes([*contents.recipes.values(), recipe])
            changes.add_space(session, recipe)

    def write(self, records: Sequence[Record], *, modality: str | None = None) -> None:
        """Store items with their vectors, or with the reason why they have none.

        One transaction: after a crash all of them are stored, or none. A path that is stored
        already keeps its id; its metadata and vectors are replaced.

        Raises:
            BadRecord: the same path twice, or a record without a vector in one of the spaces.
            BadVector: a vector that is not float32, of shape (dim,), finite and of unit length.
        """
        if records:
            with self._catalogue.write() as (session, contents):
                blobs = changes.blobs_of_records(records, contents.dims)
                given = {record.path: record.parts for record in records}
                found = parts.checked_parts(given, contents.dims)
                gallery_id = contents.gallery(modality).id
                changes.upsert(session, gallery_id, contents.space_ids, records, blobs)
                parts.store_parts(session, gallery_id, contents.space_ids, found)

    def without_vectors(self, *, modality: str | None = None) -> dict[str, tuple[str, ...]]:
        """Path -> spaces in which that indexed item has no vector yet.

        Empty unless a space was added and is not complete.
        """
        contents = self._catalogue.contents
        gallery_id = contents.gallery(modality).id
        with self._catalogue.read() as session:
            return queries.without_vectors(session, contents.version, contents.spaces, gallery_id)

    def incomplete(self) -> dict[str, tuple[str, ...]]:
        """Space -> modalities of the galleries of which it may not have all vectors yet."""
        contents = self._catalogue.contents
        with self._catalogue.read() as session:
            uncovered = queries.uncovered(session, contents.version)
        found = {
            name: tuple(
                modality
                for modality, gallery in contents.galleries.items()
                if (space.id, gallery.id) in uncovered
            )
            for name, space in contents.spaces.items()
        }
        return {name: modalities for name, modalities in found.items() if modalities}

    def add_vectors(
        self,
        vectors: Mapping[str, Mapping[str, FloatArray]],
        parts_of: Mapping[str, Sequence[Part]] | None = None,
        *,
        modality: str | None = None,
    ) -> None:
        """Store vectors of items that are indexed, in one transaction.

        Args:
            vectors: path -> space -> vector of the item as a whole.
            parts_of: path -> parts, in the order of their numbers. They replace those that the item
                has in the same spaces, in which it has a vector as a whole.
            modality: of the gallery.

        Raises:
            UnknownItem: no indexed item has such a path.
            BadRecord: a space that the index does not have.
            BadVector: as `write`.
        """
        if vectors or parts_of:
            with self._catalogue.write() as (session, contents):
                found = parts.checked_parts(parts_of or {}, contents.dims)
                blobs = {
                    path: changes.checked_blobs(vectors.get(path, {}), contents.dims, path)
                    for path in {**vectors, **found}
                }
                gallery_id = contents.gallery(modality).id
                changes.add_vectors(session, gallery_id, contents.space_ids, blobs)
                parts.store_parts(session, gallery_id, contents.space_ids, found)

    def mark_complete(self, *, modality: str | None = None) -> dict[str, int]:
        """Mark the spaces that have a vector of every item of a gallery as complete.

        Returns:
            Space -> number of items that still have no vector in it, where there are any.
        """
        if not any(
            self._catalogue.contents.gallery(modality).reading.modality in modalities
            for modalities in self.incomplete().values()
        ):
            return {}
        with self._catalogue.write() as (session, contents):
            gallery_id = contents.gallery(modality).id
            return changes.mark_complete(session, gallery_id, contents.space_ids)

    def delete(self, paths: Iterable[str], *, modality: str | None = None) -> int:
        """Delete items with their vectors; unknown paths are ignored.

        Returns:
            Number of items that were deleted.
        """
        with self._catalogue.write() as (session, contents):
            return changes.delete_items(session, contents.gallery(modality).id, paths)

    def rename(self, moves: Mapping[str, str], *, modality: str | None = None) -> None:
        """Give items new paths ({old: new}) in one transaction; ids and vectors stay.

        Raises:
            UnknownItem: no item has an old path.
            BadRecord: a new path is malformed, already taken, or there twice.
        """
        with self._catalogue.write() as (session, contents):
            changes.rename(session, contents.gallery(modality).id, moves)

    def update_files(self, files: Sequence[FileInfo], *, modality: str | None = None) -> None:
        """Store what is known of files whose items keep their vectors, in one transaction.

        Items that were missing are searched again.

        Raises:
            UnknownItem: no item has such a path.
        """
        if files:
            with self._catalogue.write() as (session, contents):
                changes.update_files(session, contents.gallery(modality).id, files)

    def set_missing(
        self, paths: Iterable[str], since: datetime | None, *, modality: str | None = None
    ) -> None:
        """Hide items whose files are missing from searches, or show them again.

        Args:
            paths: of the items. Their vectors are kept.
            since: when the files were first not found, in UTC without a time zone; None: they are
                there again.
            modality: of the gallery.

        Raises:
            UnknownItem: no item has such a path.
        """
        with self._catalogue.write() as (session, contents):
            changes.set_missing(session, contents.gallery(modality).id, paths, since)

    def relocate(self, root: Path | str, *, modality: str | None = None) -> None:
        """Set the root of a gallery that was moved and is otherwise unchanged."""
        with self._catalogue.write() as (session, contents):
            gallery_id = contents.gallery(modality).id
            changes.relocate(session, gallery_id, str(Path(root).absolute()))

    def set_exclude(self, patterns: Sequence[str], *, modality: str | None = None) -> None:
        """Remember the patterns, without line breaks, of names that a gallery leaves out."""
        with self._catalogue.write() as (session, contents):
            changes.set_exclude(session, contents.gallery(modality).id, patterns)

    def delete_if_empty(self) -> bool:
        """Close the index and remove its files if it has no indexed items.

        The folder is removed, too, if nothing else is in it.

        Returns:
            Whether it was deleted.
        """
        with self.lock():
            counts = [self.counts(modality=modality) for modality in self.readings]
            if any(found.indexed or found.missing for found in counts):
                return False
            self.close()
        remove_index(self._folder)
        return True

    def snapshot(self, *, modality: str | None = None) -> dict[str, SnapshotEntry]:
        """Path -> size, time and state of the file, for every item of a gallery."""
        contents = self._catalogue.contents
        gallery_id = contents.gallery(modality).id
        with self._catalogue.read() as session:
            return queries.snapshot(session, contents.version, gallery_id)

    def shapes(self, *, modality: str | None = None) -> dict[str, Shape]:
        """Path -> size, frames and parts of every indexed item of a gallery."""
        gallery_id = self._catalogue.contents.gallery(modality).id
        with self._catalogue.read() as session:
            return parts.shapes(session, gallery_id)

    def items(self, ids: Sequence[int] | IdArray) -> dict[int, Item]:
        """Id -> item of any gallery, in the order of `ids`.

        Raises:
            UnknownItem: an id that the index does not have.
        """
        contents = self._catalogue.contents
        with self._catalogue.read() as session:
            return queries.items(session, contents.version, [int(id_) for id_ in ids])

    def skipped(self, *, modality: str | None = None) -> list[Item]:
        """Items of a gallery without vectors, sorted by path, each with its `error`."""
        contents = self._catalogue.contents
        gallery_id = contents.gallery(modality).id
        with self._catalogue.read() as session:
            return queries.skipped(session, contents.version, gallery_id)

    def counts(self, *, modality: str | None = None) -> Counts:
        """Number of items of a gallery by state."""
        contents = self._catalogue.contents
        gallery_id = contents.gallery(modality).id
        with self._catalogue.read() as session:
            return queries.counts(session, contents.version, gallery_id)

    def select(self, where: Condition, *, modalities: Collection[str] | None = None) -> IdArray:
        """Ids of the indexed items that a condition holds for, int64 (n,), ascending.

        Raises:
            BadSearch: an unknown field, or a value that cannot be compared with it; a modality
                that the index does not have.
        """
        chosen = self._catalogue.contents.chosen(modalities)
        galleries = None if chosen is None else [gallery.id for gallery in chosen]
        with self._catalogue.read() as session:
            return select_ids(session, where, galleries)

    def vectors(self, ids: Sequence[int] | IdArray, *, space: str | None = None) -> FloatArray:
        """Stored vectors: float32 (len(ids), dim), unit rows, in the order of `ids`.

        Raises:
            UnknownItem: an id without a vector.
            BadSearch: the index has no such space.
        """
        stored = self._catalogue.contents.space(space)
        with self._catalogue.read() as session:
            wanted = [int(id_) for id_ in ids]
            return queries.vectors(session, stored.id, stored.recipe.dim, wanted)

    def search(
        self,
        queries: FloatArray,
        k: int,
        *,
        space: str | None = None,
        modalities: Collection[str] | None = None,
        where: Condition | None = None,
        items: bool = True,
    ) -> SearchResult:
        """The k items nearest to each query, best first; equal scores in the order of ids.

        Exact. Sees everything that was committed before the call, by this process or another. The
        search and the look-up of its items are one transaction, for which commits wait.

        Args:
            queries: float32 (Q, dim), unit rows.
            k: at least 1.
            space: embedding space of the queries.
            modalities: galleries to search; None: all.
            where: condition on the items; only those that it holds for are ranked. None: all.
            items: whether to look up the modality and path of what is found.

        Returns:
            See `SearchResult`; its scores are the cosines, float32 (Q, k'), with
            k' = min(k, number of items that are searched), which may be 0.

        Raises:
            BadVector: queries of the wrong dtype or shape, not finite, or not of unit length.
            BadSearch: k < 1; a space or modality that the index does not have; a condition on
                an unknown field, or with a value that cannot be compared with it.
            IncompleteSpace: a space that was added and is not complete yet.
        """
        with self._catalogue.read() as session:
            contents = self._catalogue.contents
            return self._vectors.search(
                session, contents, queries, k, space, modalities, where, items
            )

    def search_fused(
        self,
        queries: Mapping[str, FloatArray],
        k: int,
        *,
        weights: Mapping[str, float] | None = None,
        fusion: str = "rrf",
        modalities: Collection[str] | None = None,
        where: Condition | None = None,
        items: bool = True,
    ) -> SearchResult:
        """The k best items of each query over several spaces, from the full ranking in each.

        Args:
            queries: space -> float32 (Q, dim), unit rows, of the same Q queries.
            k: at least 1.
            weights: space -> weight, above 0; None: 1 each.
            fusion: "rrf" or "scores", see `indexes.fusion.fuse`.
            modalities: galleries to search, among whose items ranks count; None: all.
            where: condition on these items, applied before they are ranked; None: all.
            items: whether to look up the modality and path of what is found.

        Returns:
            See `SearchResult`; its scores are the fused scores, float64 (Q, k').

        Raises:
            As `search`; BadSearch: also for no space, a wrong weight, an unknown fusion.
        """
        shares = dict.fromkeys(queries, 1.0) if weights is None else dict(weights)
        with self._catalogue.read() as session:
            contents = self._catalogue.contents
            return self._vectors.search_fused(
                session, contents, queries, k, shares, fusion, modalities, where, items
            )

    def publish(self) -> None:
        """Write the FAISS files, so that the next `open` need not load the catalogue's vectors.

        A file is replaced atomically, and only if it is missing, stale or damaged. Searches do not
        depend on it.
        """
        with self.lock():
            for space in self._catalogue.contents.spaces.values():
                with self._catalogue.read() as session:
                    try:
                        published = self._vectors.publish(session, self._catalogue.contents, space)
                    except OSError as error:
                        raise from_os_error(self._folder, error) from error
                if published is not None:
                    with self._catalogue.write() as (session, _):
                        changes.record_published(session, space.id, published)

    def verify(self) -> None:
        """Read the whole catalogue and check it, vectors included.

        Raises:
            DamagedIndex: says what is wrong.
        """
        contents = self._catalogue.contents
        with self._catalogue.read() as session:
            problems = queries.contradictions(session, contents.version)
            if problems:
                raise DamagedIndex(self._folder, "; ".join(problems))
            for space in contents.spaces.values():
                dim = space.recipe.dim
                for _ in queries.vector_chunks(session, space.id, dim, missing=True):
                    pass
