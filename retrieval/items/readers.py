"""One item of a gallery: its bytes, and what the model takes of it. Used by several threads."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from retrieval.errors import PictureError, QueryError
from retrieval.items.kinds import IMAGE, ItemKind
from retrieval.items.lines import FoundLine
from retrieval.pictures import Facts, FileBytes, Found, decode, read_file
from retrieval.queries import READERS, Input
from retrieval.queries.arrays import read_depth


class ItemReader(ABC):
    """Reads the items of one gallery."""

    def __init__(self, root: Path, kind: ItemKind, options: str) -> None:
        self.root = root
        self.kind = kind
        self.options = options

    @abstractmethod
    def content(self, found: Found) -> FileBytes:
        """The item's bytes and their digest, by which the same content is recognised.

        Raises:
            FileNotRead: nothing is known about it.
        """

    @abstractmethod
    def value(self, found: Found, content: bytes) -> tuple[Input, Facts | None]:
        """The item as the model takes it, and the facts that its file tells.

        Raises:
            PictureError: the reason why it cannot be read, without its name.
        """


class _Files(ItemReader):
    """One item a file, read as a query's file would be."""

    def content(self, found: Found) -> FileBytes:
        """See `ItemReader`."""
        return read_file(self.root / found.path)

    def value(self, found: Found, content: bytes) -> tuple[Input, Facts | None]:
        """See `ItemReader`."""
        file = self.root / found.path
        if not content:
            raise PictureError("empty file")
        return read_source(file, self.kind, self.options, str(file)), None


class _Images(_Files):
    def value(self, found: Found, content: bytes) -> tuple[Input, Facts | None]:
        """See `ItemReader`."""
        decoded = decode(content)
        return Input(IMAGE, decoded.image, found.path), decoded.facts


class _Lines(ItemReader):
    def content(self, found: Found) -> FileBytes:
        """See `ItemReader`."""
        assert isinstance(found, FoundLine)
        return FileBytes(found.line, hashlib.sha256(found.line).hexdigest())

    def value(self, found: Found, content: bytes) -> tuple[Input, Facts | None]:
        """See `ItemReader`."""
        assert isinstance(found, FoundLine)
        if found.problem:
            raise PictureError(found.problem)
        return read_source(found.value, self.kind, self.options, self.kind.name), None


def reader_of(root: Path, kind: ItemKind, options: str = "") -> ItemReader:
    """What reads the items of a gallery, whose options are those of `options_of`."""
    if kind.holds == "lines":
        return _Lines(root, kind, options)
    return (_Images if kind.name == IMAGE else _Files)(root, kind, options)


def read_source(source: Any, kind: ItemKind, options: str, name: str) -> Input:
    """A source of a query, as the item of a gallery; `name` is left out of what goes wrong.

    Raises:
        PictureError: it cannot be read.
    """
    try:
        if kind.name == "depth":
            return read_depth(source, options.partition("=")[2])
        return READERS[kind.name](source)
    except QueryError as error:
        raise PictureError(error.within(name)) from None
