"""An item of an index, read again from where it lies."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from retrieval.errors import PictureError
from retrieval.items.kinds import ItemKind
from retrieval.items.lines import file_of, lines_of
from retrieval.items.readers import reader_of
from retrieval.pictures import Found, read_file
from retrieval.queries import Input


def read_item(root: Path, kind: ItemKind, options: str, path: str) -> Input:
    """The item that an index knows by this path.

    Raises:
        PictureError: it is gone, cannot be read, or its path leads out of the gallery.
    """
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise PictureError("its path leads out of the gallery")
    reader = reader_of(root, kind, options)
    found = Found(path, 0, 0) if kind.holds == "one" else _line(root, kind, path)
    return reader.value(found, reader.content(found).content)[0]


def _line(root: Path, kind: ItemKind, path: str) -> Found:
    name = file_of(path)
    file = root.parent / name if root.is_file() else root / name
    for found in lines_of(read_file(file).content, name, 0, kind.name):
        if found.path == path:
            return found
    raise PictureError("line is missing")
