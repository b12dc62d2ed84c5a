"""The files of a folder that belong to a gallery, in one stable order."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.errors import UsageError
from retrieval.images.leaving_out import IGNORE_FILE, Exclusion, LeftOut
from retrieval.suffixes import RAW_SUFFIXES

_DEVELOPED = frozenset({".jpg", ".jpeg", ".heic", ".heif"})


@dataclass(frozen=True)
class FoundItem:
    """A file of a gallery.

    Attributes:
        path: relative to the root of the gallery, with `/` between its parts.
        size: bytes.
        mtime_ns: time of the last change, nanoseconds since 1970.
        ctime_ns: time of the last change of the file or its attributes; None if unknown.
        inode: number of the file in its file system, as a signed integer of 64 bits; None if
            unknown.
    """

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int | None = None
    inode: int | None = None

    @classmethod
    def of(cls, path: str, status: os.stat_result) -> FoundItem:
        """The file at `path`, with what the file system tells about it."""
        return cls(
            path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, signed(status.st_ino)
        )


def signed(inode: int) -> int:
    """The lower 64 bits of an inode number, as a signed integer."""
    return (inode + 2**63) % 2**64 - 2**63


@dataclass(frozen=True)
class Unreadable:
    """A file or folder that exists but cannot be reached, and why."""

    path: str
    reason: str


@dataclass
class Listing:
    """The files of a gallery; each list is sorted by path.

    Attributes:
        items: files, or lines of files, that can be read.
        unreadable: files and folders that cannot be reached.
        closed_folders: folders (ending in `/`) that could not be listed, so that nothing is known
            of the files in them.
        left_out: files and folders that do not belong to the gallery.
    """

    items: list[FoundItem] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    closed_folders: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def find_files(
    root: str | os.PathLike[str],
    suffixes: Collection[str],
    skip: Iterable[Path] = (),
    exclude: Sequence[str] = (),
) -> Listing:
    """List the files below `root`, recursively.

    Names that begin with a dot, folders of the system, what a `.fourmignore` or `exclude` names,
    and RAW files with a JPEG or HEIC of the same name beside them are left out. Links to files and
    folders are followed, but each folder is listed only once, under its real name if it is below
    `root`.

    Args:
        root: a folder.
        suffixes: of the names to list, in lower case.
        skip: folders to pass over; the index itself may be in the gallery.
        exclude: patterns of names to leave out, as in `.gitignore`.

    Raises:
        UsageError: `root` does not exist, is not a folder, or cannot be listed; a wrong pattern.
    """
    top = Path(root)
    if not top.exists():
        raise UsageError("no such folder", where=top)
    if not top.is_dir():
        raise UsageError("not a folder", where=top)
    try:
        with os.scandir(top):
            pass
    except OSError as error:
        raise UsageError(f"cannot be listed ({error.strerror})", where=top) from error
    passed = {_identity(folder.stat()) for folder in skip if folder.is_dir()}
    walk = _Walk(top, suffixes, passed, Exclusion(top, exclude))
    walk.run()
    _leave_out_raw_twins(walk.listing)
    walk.listing.left_out.sort(key=lambda entry: entry.path)
    walk.listing.items.sort(key=lambda found: found.path)
    walk.listing.unreadable.sort(key=lambda entry: entry.path)
    walk.listing.closed_folders.sort()
    return walk.listing


def _leave_out_raw_twins(listing: Listing) -> None:
    """Leave out RAW files that have a developed image of the same name beside them."""
    split = [(file, *os.path.splitext(file.path)) for file in listing.items]
    developed = {stem for _, stem, suffix in split if suffix.lower() in _DEVELOPED}
    listing.items = []
    for file, stem, suffix in split:
        if suffix.lower() in RAW_SUFFIXES and stem in developed:
            reason = "a JPEG or HEIC of the same name is beside it"
            listing.left_out.append(LeftOut(file.path, suffix, reason))
        else:
            listing.items.append(file)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


class _Walk:
    def __init__(
        self,
        top: Path,
        suffixes: Collection[str],
        skip: set[tuple[int, int]],
        exclusion: Exclusion,
    ) -> None:
        self.top = top
        self.exclusion = exclusion
        self.suffixes = suffixes
        self.listing = Listing()
        self.visited = set(skip)
        # Listed last, so that a folder is listed under its real name and not under that of a link.
        self.linked_folders: list[str] = []

    def run(self) -> None:
        self._folder("")
        while self.linked_folders:
            waiting, self.linked_folders = sorted(self.linked_folders), []
            for folder in waiting:
                self._folder(folder)

    def _folder(self, start: str) -> None:
        pending = [start]
        while pending:
            folder = pending.pop()
            try:
                identity = _identity(os.stat(self.top / folder))
                if identity in self.visited:
                    continue
                self.visited.add(identity)
                entries = sorted(os.scandir(self.top / folder), key=lambda entry: entry.name)
            except OSError as error:
                self.listing.closed_folders.append(folder)
                self._unreadable(folder, f"folder cannot be listed: {error.strerror}")
                continue
            self.exclusion.enter(folder, any(entry.name == IGNORE_FILE for entry in entries))
            pending.extend(self._entries(folder, entries))

    def _entries(self, folder: str, entries: list[os.DirEntry[str]]) -> Iterator[str]:
        for entry in entries:
            path = folder + entry.name
            has_suffix = os.path.splitext(entry.name)[1].lower() in self.suffixes
            if entry.is_dir(follow_symlinks=False):
                if not self._left_out(self.exclusion.folder(folder, entry.name)):
                    yield path + "/"
            elif self.exclusion.hides(entry.name):
                self._left_out(self.exclusion.file(folder, entry.name, has_suffix))
            elif entry.is_symlink() and self._linked_folder(folder, entry, has_suffix):
                continue
            elif not self._left_out(self.exclusion.file(folder, entry.name, has_suffix)):
                self._file(path, entry)

    def _left_out(self, entry: LeftOut | None) -> bool:
        if entry is not None and entry.kind:
            self.listing.left_out.append(entry)
        return entry is not None

    def _linked_folder(self, folder: str, entry: os.DirEntry[str], has_suffix: bool) -> bool:
        """Whether a link leads to a folder, which is noted; a broken one may, without a suffix."""
        path = folder + entry.name
        try:
            if not entry.is_dir():
                return False
        except OSError as error:
            if error.errno == errno.ELOOP or has_suffix:
                return False
            self.listing.closed_folders.append(path + "/")
            self._unreadable(path, f"link cannot be followed: {error.strerror}")
            return True
        if not self._left_out(self.exclusion.folder(folder, entry.name)):
            self.linked_folders.append(path + "/")
        return True

    def _file(self, path: str, entry: os.DirEntry[str]) -> None:
        try:
            status = entry.stat()
        except FileNotFoundError:
            self._unreadable(path, "broken link" if entry.is_symlink() else "no longer exists")
        except OSError as error:
            self._unreadable(path, f"cannot be reached: {error.strerror}")
        else:
            if not stat.S_ISREG(status.st_mode):
                self._unreadable(path, "not a regular file")
            else:
                self.listing.items.append(FoundItem.of(path, status))

    def _unreadable(self, path: str, reason: str) -> None:
        self.listing.unreadable.append(Unreadable(path.rstrip("/"), reason))
