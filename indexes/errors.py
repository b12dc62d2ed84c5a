"""What can go wrong with an index: one class a cause, each message with the way out."""

from __future__ import annotations

import errno
from pathlib import Path


class IndexesError(Exception):
    """Base of every error that this package raises on purpose."""


class NotAnIndex(IndexesError):
    """The folder does not exist or holds no catalogue."""


class FolderTaken(IndexesError):
    """A new index was asked for in a folder that already holds an index or other files."""


class DamagedIndex(IndexesError):
    """The catalogue cannot be read, or contradicts itself."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(
            f"{folder}: the catalogue of this index is damaged ({cause}). Restore the folder from "
            "a backup, or remove it and index the gallery again."
        )


class NewerFormat(IndexesError):
    """The index was written by a newer version of this program."""

    def __init__(self, folder: Path, found: int, known: int) -> None:
        super().__init__(
            f"{folder}: this index has format version {found}, and this program reads up to "
            f"version {known}. Install a newer fourm-retrieval, or index the gallery again into "
            "another folder."
        )
        self.found = found
        self.known = known


class ReadOnlyIndex(IndexesError):
    """Something had to be written to a folder that does not allow it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder}: cannot write to this index (read-only folder or file). It can still be "
            "searched; to change it, make the folder writable or copy it somewhere that is."
        )


class IndexBusy(IndexesError):
    """Another process or another open index is writing to the same folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder}: another process is writing to this index. Wait until it has finished, or "
            "stop it: what it has committed is kept. Searching is possible meanwhile."
        )


class StorageFailed(IndexesError):
    """The disk refused: it is full, or reading or writing failed."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(
            f"{folder}: this index cannot be read or written ({cause}). Check the disk and the "
            "folder's permissions, then run the same command again: what was committed is kept."
        )


class BadRecipe(IndexesError, ValueError):
    """A recipe with an empty text or an impossible dimension."""


class RecipeMismatch(IndexesError):
    """The index was made with another model, space or preprocessing than the one at hand."""


class ReadingMismatch(IndexesError):
    """The gallery's items were read in another way than the one at hand."""


class IncompleteSpace(IndexesError):
    """A space was added to the index, and not every picture has its vector in it yet."""

    def __init__(self, folder: Path, space: str, kind: str, root: str) -> None:
        super().__init__(
            f"{folder}: the space {space!r} is not complete, some items of the gallery {root} "
            f"({kind}) have no vector in it. Index that gallery again, which goes on where it was, "
            "or search in another space."
        )


class BadRecord(IndexesError, ValueError):
    """The facts of a picture that cannot be stored: an absolute path, a negative size ..."""


class BadVector(IndexesError, ValueError):
    """A vector of the wrong shape or type, not finite, or not of unit length."""


class BadSearch(IndexesError, ValueError):
    """A search for fewer than one hit, or in a space or gallery that the index does not have."""


class UnknownPicture(IndexesError, KeyError):
    """No picture of this index has that id or path."""

    def __str__(self) -> str:
        # KeyError would show the repr of the message.
        return str(self.args[0])


def from_os_error(folder: Path, error: OSError) -> ReadOnlyIndex | StorageFailed:
    """The error of this package for what the system refused to do in an index's folder."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnlyIndex(folder)
    return StorageFailed(folder, error.strerror or str(error))
