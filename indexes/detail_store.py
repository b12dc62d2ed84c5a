"""The details of the items of an open index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from indexes.catalogue import Catalogue
from indexes.changes import ids_of
from indexes.detail_rows import read_details, store_details, without_details
from indexes.details import Details
from indexes.errors import UnknownItem
from indexes.records import IdArray


class DetailStore:
    """Reads and writes what the metadata of image files say. No vector depends on it.

    Where a method takes a `modality`, None is the first gallery.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, ids: Sequence[int] | IdArray) -> dict[int, Details]:
        """Id -> details, of the items whose metadata were read."""
        with self._catalogue.read() as session:
            return read_details(session, [int(id_) for id_ in ids])

    def unread(self, reader: int, *, modality: str | None = None) -> set[str]:
        """Paths of indexed items whose metadata were never read, or by a lower reader."""
        gallery_id = self._catalogue.contents.gallery(modality).id
        with self._catalogue.read() as session:
            return without_details(session, gallery_id, reader)

    def write(self, details: Mapping[str, Details], *, modality: str | None = None) -> None:
        """Store details ({path: details}) of items that the index has, in one transaction.

        Raises:
            UnknownItem: no item has such a path.
        """
        if not details:
            return
        with self._catalogue.write() as (session, contents):
            ids = ids_of(session, contents.gallery(modality).id, details)
            for path in details:
                if path not in ids:
                    raise UnknownItem("no item of this gallery has that path", where=repr(path))
            store_details(session, {ids[path]: one for path, one in details.items()})
