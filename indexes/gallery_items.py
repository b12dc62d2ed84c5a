"""The pictures of an index's galleries: stored, renamed, forgotten, looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from indexes import reading, writing
from indexes.nearest import IdArray
from indexes.opened import OpenedIndex
from indexes.records import Counts, FloatArray, Known, Picture, Place, Record


class GalleryItems(OpenedIndex):
    """The methods of an index that are about the pictures of one gallery; see `Index`."""

    def write(self, records: Sequence[Record], *, kind: str | None = None) -> None:
        """Store pictures with their vectors, or with the reason why they have none.

        One transaction: after a crash all of them are there, or none. A path that is known keeps
        its id, and its facts and vectors are replaced.

        Raises:
            BadRecord: the same path twice, or a record without a vector in one of the spaces.
            BadVector: a vector that is not float32, of shape (dim,), finite and of unit length.
        """
        if records:
            with self._write() as session:
                blobs = writing.blobs_of_records(records, self._dims)
                gallery_id = self._gallery(kind).id
                writing.upsert(session, gallery_id, self._space_ids, records, blobs)

    def lacking(self, *, kind: str | None = None) -> dict[str, tuple[str, ...]]:
        """Path -> spaces in which that indexed picture has no vector yet.

        Nothing, unless a space was added and is not complete.
        """
        gallery_id = self._gallery(kind).id
        found: dict[str, tuple[str, ...]] = {}
        with self._read() as session:
            uncovered = reading.uncovered(session, self._version)
            for name, space in self._spaces.items():
                if (space.id, gallery_id) in uncovered:
                    for path in reading.lacking(session, gallery_id, space.id):
                        found[path] = (*found.get(path, ()), name)
        return found

    def incomplete(self) -> dict[str, tuple[str, ...]]:
        """Space -> kinds of the galleries that it does not hold completely, where there are any."""
        with self._read() as session:
            uncovered = reading.uncovered(session, self._version)
        found = {
            name: tuple(
                kind
                for kind, gallery in self._galleries.items()
                if (space.id, gallery.id) in uncovered
            )
            for name, space in self._spaces.items()
        }
        return {name: kinds for name, kinds in found.items() if kinds}

    def fill(
        self, vectors: Mapping[str, Mapping[str, FloatArray]], *, kind: str | None = None
    ) -> None:
        """Store vectors ({path: {space: vector}}) of pictures that are indexed, in one transaction.

        Raises:
            UnknownPicture: no indexed picture has such a path.
            BadRecord: a space that the index does not have.
            BadVector: as `write`.
        """
        if vectors:
            with self._write() as session:
                blobs = {
                    path: writing.checked_blobs(found, self._dims, path)
                    for path, found in vectors.items()
                }
                writing.fill(session, self._gallery(kind).id, self._space_ids, blobs)

    def complete(self, *, kind: str | None = None) -> dict[str, int]:
        """Note which spaces hold all pictures of a gallery now.

        Returns:
            Space -> number of pictures that still have no vector in it, for spaces where there are
            any.
        """
        gallery_id = self._gallery(kind).id
        with self._read() as session:
            uncovered = reading.uncovered(session, self._version)
        left: dict[str, int] = {}
        for name, space in self._spaces.items():
            if (space.id, gallery_id) not in uncovered:
                continue
            with self._write() as session:
                if count := len(reading.lacking(session, gallery_id, space.id)):
                    left[name] = count
                else:
                    writing.cover(session, gallery_id, space.id)
        return left

    def forget(self, paths: Iterable[str], *, kind: str | None = None) -> int:
        """Remove pictures; unknown paths are passed over. Returns how many were removed."""
        with self._write() as session:
            return writing.forget(session, self._gallery(kind).id, paths)

    def rename(self, moves: Mapping[str, str], *, kind: str | None = None) -> None:
        """Give pictures new paths ({old: new}) in one transaction; ids and vectors stay.

        Raises:
            UnknownPicture: an old path that is not in the catalogue.
            BadRecord: a new path that is malformed, twice, or not free.
        """
        with self._write() as session:
            writing.rename(session, self._gallery(kind).id, moves)

    def touch(self, mtimes: Mapping[str, int], *, kind: str | None = None) -> None:
        """Set `mtime_ns` ({path: mtime_ns}) of files whose content has not changed.

        Raises:
            UnknownPicture: a path that is not in the catalogue.
        """
        with self._write() as session:
            writing.touch(session, self._gallery(kind).id, mtimes)

    def relocate(self, root: Path | str, *, kind: str | None = None) -> None:
        """Say that a gallery's folder, its content unchanged, lies elsewhere now."""
        with self._write() as session:
            writing.relocate(session, self._gallery(kind).id, str(Path(root).absolute()))
            self._read_heads(session)

    def known(self, *, kind: str | None = None) -> dict[str, Known]:
        """All pictures of a gallery by path, with what tells whether a file has changed."""
        with self._read() as session:
            return reading.known(session, self._gallery(kind).id)

    def pictures(self, ids: Sequence[int] | IdArray) -> dict[int, Picture]:
        """Pictures of any gallery by id, in the order of `ids`.

        Raises:
            UnknownPicture: an id that is not in the catalogue.
        """
        with self._read() as session:
            return reading.pictures(session, [int(id_) for id_ in ids])

    def places(self, ids: Sequence[int] | IdArray) -> dict[int, Place]:
        """Kind and path of pictures of any gallery by id, which takes less than `pictures`.

        Raises:
            UnknownPicture: an id that is not in the catalogue.
        """
        with self._read() as session:
            return reading.places(session, [int(id_) for id_ in ids])

    def skipped(self, *, kind: str | None = None) -> list[Picture]:
        """Pictures of a gallery that have no vector, by path, each with its `error`."""
        with self._read() as session:
            return reading.skipped(session, self._gallery(kind).id)

    def counts(self, *, kind: str | None = None) -> Counts:
        """Number of pictures of a gallery by state."""
        with self._read() as session:
            return reading.counts(session, self._gallery(kind).id)

    def vectors(self, ids: Sequence[int] | IdArray, *, space: str | None = None) -> FloatArray:
        """Stored vectors: float32 (len(ids), dim), unit rows, in the order of `ids`.

        Raises:
            UnknownPicture: an id without a vector.
            BadSearch: no such space.
        """
        stored = self._space(space)
        with self._read() as session:
            wanted = [int(id_) for id_ in ids]
            return reading.vectors(session, stored.id, stored.recipe.dim, wanted)
