"""What a build has to do: which files to read, which are unchanged, which items are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from indexes import SnapshotEntry
from retrieval.images import FoundItem, Listing, Unreadable
from retrieval.images.formats import can_decode_now


@dataclass
class BuildPlan:
    """The difference between a folder and an index.

    Attributes:
        to_read: new and changed files, skipped ones to retry, and items without a vector in a
            space that was added.
        to_note: unchanged files of which the index lacks or has outdated file information, or that
            were missing; they are not read.
        unreadable: what the listing could not reach.
        gone: items of the index that the folder no longer has; some may be found in `to_read`
            under another path.
        away: those of `gone` that have vectors and lie in a folder without any item, which may be a
            disk that is not mounted -> that folder.
        unchanged: number of indexed files that are as they were.
        still_skipped: number of skipped files that are as they were.
    """

    to_read: list[FoundItem] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    to_note: list[FoundItem] = field(default_factory=list)
    gone: dict[str, SnapshotEntry] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    unchanged: int = 0
    still_skipped: int = 0


def worth_retrying(before: SnapshotEntry, retry: bool) -> bool:
    """Whether to read a skipped file again that has not changed.

    Args:
        before: how it is stored.
        retry: the user asked for it.
    """
    return before.state == "skipped" and (
        retry or can_decode_now(before.needs_decoder, before.error or "")
    )


def make_plan(
    listing: Listing,
    known: Mapping[str, SnapshotEntry],
    *,
    retry: bool = False,
    check_content: bool = False,
    incomplete: Collection[str] = (),
) -> BuildPlan:
    """Compare by path, size, times of the last change and inode; no file is read.

    Args:
        listing: the folder.
        known: the gallery in the index.
        retry: retry files that were skipped and have not changed.
        check_content: read every file.
        incomplete: items without a vector in one of the spaces of the index.
    """
    plan = BuildPlan(unreadable=list(listing.unreadable))
    numbered = _keeps_inodes(listing, known)
    for found in listing.items:
        before = known.get(found.path)
        if (
            before is None
            or check_content
            or found.path in incomplete
            or not _looks_unchanged(before, found, numbered)
            or worth_retrying(before, retry)
        ):
            plan.to_read.append(found)
            continue
        if is_outdated(before, found):
            plan.to_note.append(found)
        if before.state == "indexed":
            plan.unchanged += 1
        else:
            plan.still_skipped += 1
    present = {found.path for found in listing.items}
    present.update(entry.path for entry in listing.unreadable)
    closed = tuple(listing.closed_folders)
    plan.gone = {
        path: before
        for path, before in known.items()
        if path not in present and not path.startswith(closed)
    }
    alive, left_out = _folders(present), {entry.path for entry in listing.left_out}
    for path, before in plan.gone.items():
        if before.state != "indexed" or _is_left_out(path, left_out):
            continue
        if (folder := _dead_folder(path, alive)) is not None:
            plan.away[path] = folder
    return plan


def is_outdated(before: SnapshotEntry, found: FoundItem) -> bool:
    """Whether the index must note new information of a file whose content is the same."""
    stored = (before.size, before.mtime_ns, before.ctime_ns, before.inode)
    now = (found.size, found.mtime_ns, found.ctime_ns, found.inode)
    return stored != now or before.missing_since is not None


def _looks_unchanged(before: SnapshotEntry, found: FoundItem, numbered: bool) -> bool:
    if (before.size, before.mtime_ns) != (found.size, found.mtime_ns):
        return False
    if before.ctime_ns is None or found.ctime_ns is None:
        return True  # written by an older version
    return before.ctime_ns == found.ctime_ns and (not numbered or before.inode == found.inode)


def _keeps_inodes(listing: Listing, known: Mapping[str, SnapshotEntry]) -> bool:
    """Whether the file system still has an inode number of before.

    Some network file systems number their files anew each time that they are mounted.
    """
    now = {found.inode for found in listing.items}
    return any(before.inode in now for before in known.values() if before.inode is not None)


def _folders(paths: Iterable[str]) -> set[str]:
    """The folders in which, or below which, these paths lie; the root is `""`."""
    found: set[str] = set()
    for path in paths:
        while path and (path := path.rpartition("/")[0]) not in found:
            found.add(path)
    return found


def _is_left_out(path: str, left_out: Collection[str]) -> bool:
    """Whether a file, or a folder around it, is left out of the gallery."""
    parts = path.split("/")
    return path in left_out or any(
        "/".join(parts[:count]) + "/" in left_out for count in range(1, len(parts))
    )


def _dead_folder(path: str, alive: Collection[str]) -> str | None:
    """The uppermost folder around `path` that is not alive; None: its own folder is."""
    dead, folder = None, path
    while folder and (folder := folder.rpartition("/")[0]) not in alive:
        dead = folder
    return dead
