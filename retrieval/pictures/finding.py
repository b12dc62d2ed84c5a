"""Which files of a folder are pictures, or of another kind, in one stable order."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from retrieval.errors import UsageError

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif"}
    | {".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm"}
)


@dataclass(frozen=True)
class Found:
    """A picture file: `path` is relative to the gallery root, with `/` between its parts.

    `mtime_ns` is the time of the last change in nanoseconds, `size` is in bytes.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Unreadable:
    """A picture or folder that is there but cannot be reached, and why."""

    path: str
    reason: str


@dataclass
class Listing:
    """All that was found, each list sorted by path.

    `closed_folders` are the folders (ending in `/`) that could not be listed: nothing is known
    about what lies in them.
    """

    pictures: list[Found] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    closed_folders: list[str] = field(default_factory=list)


def find_files(
    root: str | os.PathLike[str], suffixes: Collection[str], exclude: Iterable[Path] = ()
) -> Listing:
    """List the files below `root` whose names end so (in lower case), folders in folders included.

    Names that start with a dot are skipped. Links to files are followed; links to folders too,
    but each real folder is listed once, and under its real name where it has one below `root`.
    `exclude` names folders to leave out (the index itself may lie in the gallery).

    Raises:
        UsageError: `root` does not exist, is not a folder, or cannot be listed.
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
    walk = _Walk(top, suffixes, {_identity(folder.stat()) for folder in exclude if folder.is_dir()})
    walk.run()
    walk.listing.pictures.sort(key=lambda found: found.path)
    walk.listing.unreadable.sort(key=lambda entry: entry.path)
    walk.listing.closed_folders.sort()
    return walk.listing


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


class _Walk:
    def __init__(self, top: Path, suffixes: Collection[str], skip: set[tuple[int, int]]) -> None:
        self.top = top
        self.suffixes = suffixes
        self.listing = Listing()
        self.visited = set(skip)
        # Real folders come first, so that a link never takes the place of the folder itself.
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
            pending.extend(self._entries(folder, entries))

    def _entries(self, folder: str, entries: list[os.DirEntry[str]]) -> Iterator[str]:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = folder + entry.name
            named_so = os.path.splitext(entry.name)[1].lower() in self.suffixes
            if entry.is_dir(follow_symlinks=False):
                yield path + "/"
            elif entry.is_symlink() and self._leads_to_folder(path, entry, named_so):
                self.linked_folders.append(path + "/")
            elif named_so:
                self._file(path, entry)

    def _leads_to_folder(self, path: str, entry: os.DirEntry[str], named_so: bool) -> bool:
        """Where nobody can tell, a link without the name of a file may hide a folder."""
        try:
            return entry.is_dir()
        except OSError as error:
            if error.errno != errno.ELOOP and not named_so:
                self.listing.closed_folders.append(path + "/")
                self._unreadable(path, f"link cannot be followed: {error.strerror}")
            return False

    def _file(self, path: str, entry: os.DirEntry[str]) -> None:
        try:
            status = entry.stat()
        except FileNotFoundError:
            self._unreadable(path, "broken link" if entry.is_symlink() else "vanished")
        except OSError as error:
            self._unreadable(path, f"cannot be reached: {error.strerror}")
        else:
            if not stat.S_ISREG(status.st_mode):
                self._unreadable(path, "not a regular file")
            else:
                self.listing.pictures.append(Found(path, status.st_size, status.st_mtime_ns))

    def _unreadable(self, path: str, reason: str) -> None:
        self.listing.unreadable.append(Unreadable(path.rstrip("/"), reason))
