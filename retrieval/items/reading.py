"""Reading one item of a gallery: its bytes and its value."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from retrieval.errors import ItemError, QueryError, UsageError
from retrieval.images import FileBytes, FoundItem, ImageInfo, read_file
from retrieval.images.limits import DecodingOptions, decoding_options
from retrieval.inputs import Input
from retrieval.items.lines import FoundLine, file_of, lines_of
from retrieval.modalities import Modifier, Source


def options_of(source: Source, given: Mapping[str, object]) -> str:
    """How the items of a gallery are read, as an index remembers it: `depth_near=low`.

    Args:
        source: reads them.
        given: name of a modifier -> value; None: the default.

    Raises:
        UsageError: a modifier that the source does not understand, or not one of its choices.
    """
    own = {entry.name: entry for entry in source.modifiers if not entry.python_only}
    for name, value in given.items():
        if value is not None and name not in own:
            raise UsageError(f"does not apply to {source.items.what}", where=name)
    return " ".join(f"{name}={_chosen(entry, given)}" for name, entry in own.items())


def _chosen(modifier: Modifier, given: Mapping[str, object]) -> object:
    value = given.get(modifier.name)
    return modifier.choices[0] if value is None else modifier.checked(value)


class ItemReader:
    """Reads the items of one gallery. Used by several threads.

    Attributes:
        root: of the gallery.
        source: reads the items.
        options: of `options_of`.
        decoding: limits of image files; default: `DecodingOptions()`.
    """

    def __init__(
        self,
        root: Path,
        source: Source,
        options: str = "",
        decoding: DecodingOptions | None = None,
    ) -> None:
        self.root = root
        self.source = source
        self.options = options
        self._decoding = decoding or DecodingOptions()
        recorded = dict(entry.split("=", 1) for entry in options.split())
        self._modifiers = {**source.former_modifiers, **recorded}

    def content(self, found: FoundItem) -> FileBytes:
        """The item's bytes and their digest, by which the same content is recognised.

        Raises:
            FileNotRead: nothing is known about it.
        """
        if isinstance(found, FoundLine):
            return FileBytes(found.line, hashlib.sha256(found.line).hexdigest())
        return read_file(self.root / found.path)

    def value(self, found: FoundItem, content: bytes) -> tuple[Input, ImageInfo | None]:
        """The item's value for the model, and the metadata of an image file.

        Raises:
            ItemError: the reason why it cannot be read, without its name.
        """
        with decoding_options(self._decoding):
            return self._value(found, content)

    def _value(self, found: FoundItem, content: bytes) -> tuple[Input, ImageInfo | None]:
        if isinstance(found, FoundLine):
            if found.problem:
                raise ItemError(found.problem)
            return self._read(found.value, self.source.name), None
        if self.source.items.decode is not None:
            return self.source.items.decode(content, found.path)
        if not content:
            raise ItemError("empty file")
        file = self.root / found.path
        return self._read(file, str(file)), None

    def _read(self, value: Any, place: str) -> Input:
        try:
            return self.source.read(value, **self._modifiers)
        except QueryError as error:
            raise ItemError(error.within(place)) from None


def read_item(
    root: Path, source: Source, options: str, path: str, digest: str | None = None
) -> Input:
    """The item that an index knows by this path.

    Args:
        root: of the gallery.
        source: reads the items.
        options: of `options_of`.
        path: of the item.
        digest: of a line, which must be the one that was indexed. An index from somebody else can
            name any file, but not the digest of what it does not know.

    Raises:
        ItemError: it is missing, cannot be read, or its path leads out of the gallery.
    """
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ItemError("its path leads out of the gallery")
    reader = ItemReader(root, source, options)
    found = _line(root, source, path) if source.items.lines else FoundItem(path, 0, 0)
    content = reader.content(found)
    if source.items.lines and digest is not None and content.content_hash != digest:
        raise ItemError("the line has changed since it was indexed")
    return reader.value(found, content.content)[0]


def file_of_item(root: Path, source: Source, path: str) -> Path:
    """The file that an item is, or is a line of."""
    if not source.items.lines:
        return root / path
    name = file_of(path)
    return root.parent / name if root.is_file() else root / name


def _line(root: Path, source: Source, path: str) -> FoundItem:
    if PurePosixPath(file_of(path)).suffix.lower() not in source.items.suffixes:
        raise ItemError("its file is not one whose lines are items")
    content = read_file(file_of_item(root, source, path)).content
    for found in lines_of(content, FoundItem(file_of(path), 0, 0), source.name):
        if found.path == path:
            return found
    raise ItemError("line is missing")
