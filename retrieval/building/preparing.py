"""One file on its way to the model: read, recognised or decoded, prepared. Runs in the workers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fourm import FourmError
from fourm.embedder import Embedder
from indexes import SnapshotEntry
from retrieval.errors import PictureError
from retrieval.items import ItemReader
from retrieval.pictures import Facts, Found
from retrieval.pictures.reading import FileNotRead


@dataclass(frozen=True)
class Item:
    """What became of one file or line.

    Attributes:
        prepared: what the model wants of it.
        error: why it is skipped.
        moved_from: its old path: the same content, whose vectors stay good.
        same_content: at most the time of its last change is new.
        lacking: of the same content, wherever it lay: the spaces in which it has no vector yet, for
            which it is prepared.
    """

    found: Found
    content_hash: str | None = None
    facts: Facts | None = None
    prepared: Any = None
    error: str | None = None
    moved_from: str | None = None
    same_content: bool = False
    lacking: tuple[str, ...] = ()


class Preparer:
    """Turns files into items. Thread-safe."""

    def __init__(
        self,
        reader: ItemReader,
        model: Embedder,
        known: Mapping[str, SnapshotEntry],
        gone: Mapping[str, SnapshotEntry],
        *,
        retry: bool = False,
        lacking: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._reader = reader
        self._lacking = lacking or {}
        self._model = model
        self._known = known
        self._retry = retry
        self._claims = threading.Lock()
        self._gone_by_hash: dict[str, list[str]] = {}
        for path, before in sorted(gone.items(), reverse=True):
            if before.state == "indexed" and before.content_hash is not None:
                self._gone_by_hash.setdefault(before.content_hash, []).append(path)

    def prepare(self, found: Found) -> Item:
        """Never raises for what is wrong with a file: that is the item's `error`."""
        try:
            file = self._reader.content(found)
        except FileNotRead as error:
            # Nothing about the file will look different when its owner fixes this, so nothing is
            # remembered of it and the next build tries it again.
            return Item(Found(found.path, 0, 0), error=str(error))
        item = Item(found, file.content_hash)
        before = self._known.get(found.path)
        if before is None:
            moved_from = self._claim(file.content_hash)
            if moved_from is None:
                return self._decoded(item, file.content)
            item = replace(item, moved_from=moved_from)
        elif before.content_hash != file.content_hash or (
            self._retry and before.state == "skipped"
        ):
            return self._decoded(item, file.content)
        else:
            item = replace(item, same_content=True)
        lacking = self._lacking.get(item.moved_from or found.path, ())
        return self._decoded(replace(item, lacking=lacking), file.content) if lacking else item

    def _decoded(self, item: Item, content: bytes) -> Item:
        try:
            value, facts = self._reader.value(item.found, content)
        except PictureError as error:
            return replace(item, error=str(error))
        try:
            prepared = self._model.prepare({value.kind: value.value})
        except FourmError as error:
            return replace(item, facts=facts, error=f"refused by the model: {error}")
        return replace(item, facts=facts, prepared=prepared)

    def _claim(self, content_hash: str) -> str | None:
        """The old path of a picture that is gone from there; each is given to one file only."""
        with self._claims:
            paths = self._gone_by_hash.get(content_hash)
            return paths.pop() if paths else None
