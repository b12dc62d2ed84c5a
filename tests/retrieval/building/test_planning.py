"""What a build has to do follows from the listing and the index."""

from indexes import SnapshotEntry
from retrieval.building.planning import make_plan
from retrieval.images import FoundItem, Listing, Unreadable


def known(number=1, size=5, mtime=7, state="indexed"):
    return SnapshotEntry(number, size, mtime, "abc", state)


def test_files_are_sorted_by_what_has_to_be_done():
    listing = Listing(
        items=[
            FoundItem("bad.jpg", 5, 7),
            FoundItem("changed.jpg", 6, 7),
            FoundItem("new.jpg", 5, 7),
            FoundItem("same.jpg", 5, 7),
            FoundItem("touched.jpg", 5, 8),
        ]
    )
    index = {
        "bad.jpg": known(state="skipped"),
        "changed.jpg": known(),
        "same.jpg": known(),
        "touched.jpg": known(),
        "gone.jpg": known(),
    }
    plan = make_plan(listing, index)
    assert [found.path for found in plan.to_read] == ["changed.jpg", "new.jpg", "touched.jpg"]
    assert (plan.unchanged, plan.still_skipped) == (1, 1)
    assert list(plan.gone) == ["gone.jpg"]
    assert "bad.jpg" in [found.path for found in make_plan(listing, index, retry=True).to_read]


def test_items_of_a_folder_that_cannot_be_listed_are_not_gone():
    listing = Listing(unreadable=[Unreadable("nas", "closed")], closed_folders=["nas/"])
    plan = make_plan(listing, {"nas/a.jpg": known(), "nasty.jpg": known(), "nas": known()})
    assert list(plan.gone) == ["nasty.jpg"]
