"""What a build has to do: which files to read, which are unchanged, which items are gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
        unreadable: what the listing could not reach.
        gone: items of the index that the folder no longer has; some may be found in `to_read`
            under another path.
        unchanged: number of indexed files that are as they were.
        still_skipped: number of skipped files that are as they were.
    """

    to_read: list[FoundItem] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    gone: dict[str, SnapshotEntry] = field(default_factory=dict)
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
    incomplete: Collection[str] = (),
) -> BuildPlan:
    """Compare by path, size and time of the last change; no file is read.

    Args:
        listing: the folder.
        known: the gallery in the index.
        retry: retry files that were skipped and have not changed.
        incomplete: items without a vector in one of the spaces of the index.
    """
    plan = BuildPlan(unreadable=list(listing.unreadable))
    for found in listing.items:
        before = known.get(found.path)
        same = before is not None and (before.size, before.mtime_ns) == (found.size, found.mtime_ns)
        if not same or before is None or found.path in incomplete:
            plan.to_read.append(found)
        elif before.state == "indexed":
            plan.unchanged += 1
        elif worth_retrying(before, retry):
            plan.to_read.append(found)
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
    return plan
