"""One file on its way to the model: read, recognised or decoded, prepared. Runs in the workers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourm import FourmError
from indexes import Known
from retrieval.errors import PictureError
from retrieval.model import Model
from retrieval.pictures import Facts, Found, decode, read_file
from retrieval.pictures.reading import FileNotRead


@dataclass(frozen=True)
class Item:
    """What became of one file. Exactly one of the last four says how it goes on.

    Attributes:
        prepared: what the model wants of it.
        error: why it is skipped.
        moved_from: its old path: the same content, whose vector stays good.
        same_content: only the time of its last change is new.
    """

    found: Found
    content_hash: str | None = None
    facts: Facts | None = None
    prepared: Any = None
    error: str | None = None
    moved_from: str | None = None
    same_content: bool = False


class Preparer:
    """Turns files into items. Thread-safe."""

    def __init__(
        self,
        root: Path,
        model: Model,
        known: Mapping[str, Known],
        gone: Mapping[str, Known],
        *,
        retry: bool = False,
    ) -> None:
        self._root = root
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
            file = read_file(self._root / found.path)
        except FileNotRead as error:
            # Nothing about the file will look different when its owner fixes this, so nothing is
            # remembered of it and the next build tries it again.
            return Item(Found(found.path, 0, 0), error=str(error))
        before = self._known.get(found.path)
        if before is None:
            moved_from = self._claim(file.content_hash)
            if moved_from is not None:
                return Item(found, file.content_hash, moved_from=moved_from)
        elif before.content_hash == file.content_hash and not (
            self._retry and before.state == "skipped"
        ):
            return Item(found, file.content_hash, same_content=True)
        return self._decoded(found, file.content, file.content_hash)

    def _decoded(self, found: Found, content: bytes, content_hash: str) -> Item:
        try:
            decoded = decode(content)
        except PictureError as error:
            return Item(found, content_hash, error=str(error))
        try:
            prepared = self._model.prepare({"image": decoded.image})
        except FourmError as error:
            return Item(found, content_hash, decoded.facts, error=f"refused by the model: {error}")
        return Item(found, content_hash, decoded.facts, prepared)

    def _claim(self, content_hash: str) -> str | None:
        """The old path of a picture that is gone from there; each is given to one file only."""
        with self._claims:
            paths = self._gone_by_hash.get(content_hash)
            return paths.pop() if paths else None
