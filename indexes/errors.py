"""The errors of an index, one class for each cause."""

from __future__ import annotations

import errno
from pathlib import Path


class IndexesError(Exception):
    """Base class of the errors of this package.

    Args:
        reason: what went wrong, and what to do about it.
        where: the folder of the index, or the path of an item; None: the reason says it.

    Attributes:
        reason, where: these. The message is "where: reason", or the reason alone.
    """

    def __init__(self, reason: str, *, where: Path | str | None = None) -> None:
        # Exception.__init__ is not called: `args` stays as given, which is what pickling needs.
        self.reason = reason
        self.where = None if where is None else str(where)

    def __str__(self) -> str:
        return self.reason if self.where is None else f"{self.where}: {self.reason}"


class NotAnIndex(IndexesError):
    """The folder does not exist or has no catalogue."""


class FolderTaken(IndexesError):
    """The folder of a new index already holds an index or other files."""


class ClosedIndex(IndexesError):
    """The index was used after `close`."""

    def __init__(self, folder: Path) -> None:
        super().__init__("this index is closed; open it again", where=folder)


class ReplacedIndex(IndexesError):
    """The index was deleted, or another one has taken its place, while it was open."""

    def __init__(self, folder: Path, deleted: bool) -> None:
        super().__init__(
            "this index was deleted while it was open; index the gallery again, or open another one"
            if deleted
            else "another index has taken the place of this one since it was opened; open it again",
            where=folder,
        )


class DamagedIndex(IndexesError):
    """The catalogue cannot be read, or contradicts itself."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(
            f"the catalogue of this index is damaged ({cause}). Restore the folder from a backup, "
            "or delete it and index the gallery again.",
            where=folder,
        )


class UnsafeIndex(IndexesError):
    """An index with something that this program never makes, such as a link or a trigger."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(
            f"this index is not opened: {cause}, which this program never makes. If it comes from "
            "somebody else, do not use it; if not, restore the folder from a backup, or index the "
            "gallery again.",
            where=folder,
        )


class NewerFormat(IndexesError):
    """The index was written by a newer version of this program.

    Attributes:
        found: format version of the index.
        supported: the newest version that this program reads.
    """

    def __init__(self, folder: Path, found: int, supported: int) -> None:
        super().__init__(
            f"this index has format version {found}; this program reads versions up to "
            f"{supported}. Install a newer fourm-retrieval, or index the gallery again into "
            "another folder.",
            where=folder,
        )
        self.found = found
        self.supported = supported


class ReadOnlyIndex(IndexesError):
    """A write to a folder or file without write permission.

    An index whose last write was interrupted is completed before it can be read, which is a write.
    """

    def __init__(self, folder: Path, interrupted: bool = False) -> None:
        reason = (
            "cannot write to this index: its folder or a file in it is read-only. It can still be "
            "searched; to change it, make the folder writable or copy it elsewhere."
        )
        if interrupted:
            reason = (
                "a write to this index was interrupted and has to be rolled back before the index "
                "can be read, but its folder or a file in it is read-only. Make the folder "
                "writable, or copy it elsewhere with all of its files."
            )
        super().__init__(reason, where=folder)


class IndexBusy(IndexesError):
    """Another process, or another open `Index`, is using the same folder: writing, or reading for
    more than a minute while this one wants to write."""

    def __init__(self, folder: Path, reading: bool = False) -> None:
        reason = (
            "another process is writing to this index. Wait until it has finished, or stop it: "
            "what it has committed is kept. The index can be searched meanwhile."
        )
        if reading:
            reason = (
                "another process has been reading this index for more than a minute, so that "
                "nothing can be written. Stop that process, then run the same command again: what "
                "was committed is kept."
            )
        super().__init__(reason, where=folder)


class StorageFailed(IndexesError):
    """The disk is full, or reading or writing failed."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(
            f"this index cannot be read or written ({cause}). Check the disk and the permissions "
            "of the folder, then run the same command again: what was committed is kept.",
            where=folder,
        )


class CannotLock(IndexesError):
    """The file system has no file locks, which keep writers apart."""

    def __init__(self, folder: Path, cause: str) -> None:
        super().__init__(
            f"the file system of this index cannot lock files ({cause}), as some network file "
            "systems cannot. Put the index on a local disk, or mount the file system with locks; "
            "the gallery itself may stay where it is.",
            where=folder,
        )


class OutOfMemory(IndexesError):
    """The vectors of an index, or the results of a search, do not fit into memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "there is not enough memory to search this index; close other programs, or give a "
            "smaller k",
            where=folder,
        )


class BadRecipe(IndexesError, ValueError):
    """A recipe with an empty string or a dimension out of range."""


class RecipeMismatch(IndexesError):
    """The index was made with another model, space or preprocessing."""


class ReadingMismatch(IndexesError):
    """The items of the gallery were read in another way."""


class IncompleteSpace(IndexesError):
    """A search in a space in which some items of the gallery have no vector yet."""

    def __init__(self, folder: Path, space: str, modality: str, root: str) -> None:
        super().__init__(
            f"the space {space!r} is incomplete: some items of the gallery {root} ({modality}) "
            "have no vector in it. Index that gallery again to add the missing vectors, or search "
            "in another space.",
            where=folder,
        )


class BadRecord(IndexesError, ValueError):
    """A record that cannot be stored: an absolute path, a negative size, a missing vector."""


class BadVector(IndexesError, ValueError):
    """A vector of the wrong shape or dtype, not finite, or not of unit length."""


class BadSearch(IndexesError, ValueError):
    """A search with k < 1, or in a space or gallery that the index does not have."""


class UnknownItem(IndexesError, KeyError):
    """The index has no item with that id or path."""


_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


def from_os_error(folder: Path, error: OSError) -> IndexesError:
    """The error of this package for an `OSError` in the folder of an index."""
    if error.errno in _NO_LOCKS:
        return CannotLock(folder, error.strerror or str(error))
    if error.errno == errno.ENOMEM:
        return OutOfMemory(folder)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return ReadOnlyIndex(folder)
    return StorageFailed(folder, error.strerror or str(error))
