"""What a build has to do: which files to read, which to leave, which pictures are gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from indexes import SnapshotEntry
from retrieval.pictures import Found, Listing, Unreadable


@dataclass
class Plan:
    """The difference between a folder and an index.

    `to_read` are new and changed files, skipped ones that are tried again, and pictures that have
    no vector yet in a space that was added. `unchanged` counts indexed files that are as they were,
    `still_skipped` skipped ones. `gone` are pictures of the
    index that the folder no longer has; some may turn up among `to_read` under another name.
    """

    to_read: list[Found] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    gone: dict[str, SnapshotEntry] = field(default_factory=dict)
    unchanged: int = 0
    still_skipped: int = 0


def make_plan(
    listing: Listing,
    known: Mapping[str, SnapshotEntry],
    *,
    retry: bool = False,
    lacking: Collection[str] = (),
) -> Plan:
    """Compare by path, size and time of the last change; contents are not read here.

    Args:
        listing: the folder as it is.
        known: the index as it is.
        retry: try files again that were skipped and have not changed.
        lacking: pictures that have no vector in one of the index's spaces.
    """
    plan = Plan(unreadable=list(listing.unreadable))
    for found in listing.pictures:
        before = known.get(found.path)
        same = before is not None and (before.size, before.mtime_ns) == (found.size, found.mtime_ns)
        if not same or before is None or found.path in lacking:
            plan.to_read.append(found)
        elif before.state == "indexed":
            plan.unchanged += 1
        elif retry:
            plan.to_read.append(found)
        else:
            plan.still_skipped += 1
    present = {found.path for found in listing.pictures}
    present.update(entry.path for entry in listing.unreadable)
    closed = tuple(listing.closed_folders)
    plan.gone = {
        path: before
        for path, before in known.items()
        if path not in present and not path.startswith(closed)
    }
    return plan
