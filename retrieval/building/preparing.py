"""Read, recognise, decode and prepare one file for the model. Runs in the worker threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fourm import BadInput, UnknownModality
from fourm.embedder import Embedder
from indexes import SnapshotEntry
from indexes.records import Box
from retrieval.building.planning import worth_retrying
from retrieval.errors import ItemError
from retrieval.images import FoundItem, ImageInfo
from retrieval.images.formats import NoDecoder
from retrieval.images.pixel_hash import decoded_hash, stored_hash
from retrieval.images.reading import FileNotRead
from retrieval.inputs import Input
from retrieval.items import ItemReader


@dataclass(frozen=True)
class PreparedItem:
    """The result of preparing one file or line.

    Attributes:
        prepared: the input of the model; None if it need not be embedded.
        error: why it is skipped.
        needs_decoder: the package that would decode it, if that is why.
        moved_from: its old path, if an item with the same content is gone from there.
        same_content: only the times and the inode of the file may be new.
        edited: its metadata were edited, its pixels are the same: its vectors stay.
        pixel_hash: of an image; see `retrieval.images.pixel_hash`.
        spaces: if its vectors stay: the spaces in which its vectors are missing. It is prepared
            for these only.
        parts: box and input of the model of each part that is embedded besides the whole.
        part_spaces: as `spaces`, for the parts.
    """

    found: FoundItem
    content_hash: str | None = None
    info: ImageInfo | None = None
    prepared: Any = None
    error: str | None = None
    needs_decoder: str | None = None
    moved_from: str | None = None
    same_content: bool = False
    edited: bool = False
    pixel_hash: str | None = None
    spaces: tuple[str, ...] = ()
    parts: tuple[tuple[Box, Any], ...] = ()
    part_spaces: tuple[str, ...] = ()

    @property
    def for_model(self) -> bool:
        """Whether there is anything to embed."""
        return self.prepared is not None or bool(self.parts)

    @property
    def keeps_vectors(self) -> bool:
        """Whether the index has an item whose vectors are those of this file."""
        return self.moved_from is not None or self.same_content or self.edited


class Preparer:
    """Prepares files. Safe to use from several threads.

    Attributes:
        summary: of how they were read, where their modality has one.
    """

    def __init__(
        self,
        reader: ItemReader,
        model: Embedder,
        known: Mapping[str, SnapshotEntry],
        gone: Mapping[str, SnapshotEntry],
        *,
        retry: bool = False,
        incomplete: Mapping[str, tuple[str, ...]] | None = None,
        without_parts: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._reader = reader
        make_summary = reader.source.items.summary
        self.summary = None if make_summary is None else make_summary()
        self._incomplete = incomplete or {}
        self._without_parts = without_parts or {}
        self._model = model
        self._known = known
        self._retry = retry
        self._claims = threading.Lock()
        self._gone_by_hash: dict[str, list[str]] = {}
        for path, before in sorted(gone.items(), reverse=True):
            if before.state == "indexed" and before.content_hash is not None:
                self._gone_by_hash.setdefault(before.content_hash, []).append(path)

    def prepare(self, found: FoundItem) -> PreparedItem:
        """Prepare one file; what is wrong with the file is the `error` of the item.

        Raises:
            fourm.FourmError: the model is damaged.
        """
        try:
            file = self._reader.content(found)
        except FileNotRead as error:
            # The file will look the same when this is fixed. Size and time are not stored, so that
            # the next build tries it again.
            return PreparedItem(FoundItem(found.path, 0, 0), error=str(error))
        item = PreparedItem(found, file.content_hash)
        before = self._known.get(found.path)
        if before is None:
            moved_from = self._claim(file.content_hash)
            if moved_from is None:
                return self._decoded(item, file.content)
            item = replace(item, moved_from=moved_from)
        elif worth_retrying(before, self._retry):
            return self._decoded(item, file.content)
        elif before.content_hash == file.content_hash:
            item = replace(item, same_content=True)
            if before.pixel_hash is None and before.state == "indexed":
                item = self._hashed(item, file.content)
        else:
            return self._changed(item, file.content, before)
        return self._completed(item, file.content)

    def _completed(self, item: PreparedItem, content: bytes) -> PreparedItem:
        """An item whose vectors stay, prepared for the spaces in which it lacks vectors."""
        path = item.moved_from or item.found.path
        spaces, part_spaces = self._incomplete.get(path, ()), self._without_parts.get(path, ())
        if not spaces and not part_spaces:
            return item
        return self._decoded(replace(item, spaces=spaces, part_spaces=part_spaces), content)

    def _changed(self, item: PreparedItem, content: bytes, before: SnapshotEntry) -> PreparedItem:
        """A file with new content, which need not be embedded if its pixels are the same."""
        if before.state != "indexed" or before.pixel_hash is None:
            return self._decoded(item, content)
        item = self._hashed(item, content)
        if item.pixel_hash is None:
            item = self._decoded(item, content)
            if item.error is None and item.pixel_hash == before.pixel_hash:
                return self._completed(replace(item, prepared=None, parts=(), edited=True), content)
            return item
        if item.pixel_hash == before.pixel_hash:
            return self._completed(replace(item, edited=True), content)
        return self._decoded(item, content)

    def _hashed(self, item: PreparedItem, content: bytes) -> PreparedItem:
        """With the pixel hash and the metadata, if the bytes of an image tell them."""
        found = stored_hash(content) if self._reader.source.items.decode is not None else None
        return item if found is None else replace(item, pixel_hash=found[0], info=found[1])

    def _decoded(self, item: PreparedItem, content: bytes) -> PreparedItem:
        if item.pixel_hash is None:
            item = self._hashed(item, content)
        try:
            value, info = self._reader.value(item.found, content)
        except ItemError as error:
            package = error.package if isinstance(error, NoDecoder) else None
            return replace(item, info=None, error=str(error), needs_decoder=package)
        if self.summary is not None:
            self.summary.add(value)
        if item.pixel_hash is None and info is not None:
            item = replace(item, pixel_hash=decoded_hash(value.value))
        try:
            whole = item.spaces or not item.part_spaces
            prepared = self._model.prepare({value.modality: value.value}) if whole else None
            parts = tuple(self._parts(value, info))
        except (BadInput, UnknownModality) as error:
            return replace(item, info=info, error=f"refused by the model: {error}")
        return replace(item, info=info, prepared=prepared, parts=parts)

    def _parts(self, value: Input, info: ImageInfo | None) -> Iterator[tuple[Box, Any]]:
        items = self._reader.source.items
        if items.part is None or info is None:
            return
        for box in items.boxes(info.width, info.height):
            part = items.part(value, box)
            yield box, self._model.prepare({part.modality: part.value})

    def _claim(self, content_hash: str) -> str | None:
        """The old path of an item that is gone and had this content; each is given out once."""
        with self._claims:
            paths = self._gone_by_hash.get(content_hash)
            return paths.pop() if paths else None
