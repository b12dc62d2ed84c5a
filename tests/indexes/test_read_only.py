"""A read-only index can be searched, and every write is a named error."""

import pytest

from indexes import Index, ReadOnlyIndex


def test_is_read_and_searched(read_only, make_record):
    with Index.open(read_only) as index:
        assert index.counts().indexed == 20
        _, ids, *_ = index.search(make_record(3).vectors["dinov2"][None], k=2)
        assert ids[0, 0] == index.snapshot()["album/3.jpg"].id
        assert index.items(ids[0])
        index.verify()


def test_every_write_is_refused(read_only, make_record, make_file_info):
    with Index.open(read_only) as index:
        for attempt in (
            lambda: index.write([make_record(30)]),
            lambda: index.delete(["album/3.jpg"]),
            lambda: index.rename({"album/3.jpg": "album/30.jpg"}),
            lambda: index.update_files([make_file_info(3, mtime_ns=1)]),
            lambda: index.relocate("/elsewhere"),
            index.publish,
            lambda: index.lock().__enter__(),
        ):
            with pytest.raises(ReadOnlyIndex, match="make the folder writable or copy it"):
                attempt()
        assert index.counts().indexed == 20


def test_create_is_refused(read_only, recipe):
    with pytest.raises(ReadOnlyIndex, match="new"):
        Index.create(read_only / "new", root=".", recipe=recipe)
