"""Items whose files are missing keep their vectors, and are not searched."""

from datetime import datetime

import numpy as np
import pytest

from indexes import Counts, Details, Index, UnknownItem

SINCE = datetime(2026, 1, 2, 3, 4, 5)


def found(index, vector):
    return {item.path for item in index.search(vector[None], 99).items.values()}


def test_a_missing_item_is_not_found_until_it_is_back(filled, make_vector, folder):
    filled.search(make_vector(0)[None], 1)
    filled.set_missing(["album/3.jpg", "album/4.jpg"], SINCE)
    assert filled.snapshot()["album/3.jpg"].missing_since == SINCE
    assert filled.counts() == Counts(indexed=18, skipped=0, missing=2)
    assert filled.counts().total == 20
    assert len(found(filled, make_vector(3))) == 18
    filled.publish()
    filled.verify()
    with Index.open(folder) as reopened:
        assert "album/3.jpg" not in found(reopened, make_vector(3))
    filled.set_missing(["album/3.jpg"], None)
    assert len(found(filled, make_vector(3))) == 19
    number = filled.snapshot()["album/3.jpg"].id
    assert filled.search(make_vector(3)[None], 1)[1].tolist() == [[number]]
    assert np.array_equal(filled.vectors([number])[0], make_vector(3))


def test_a_missing_item_that_is_written_again_is_there(filled, make_record, make_vector):
    filled.set_missing(["album/3.jpg"], SINCE)
    filled.write([make_record(3)])
    assert filled.snapshot()["album/3.jpg"].missing_since is None
    assert len(found(filled, make_vector(3))) == 20


def test_a_missing_item_whose_file_is_noted_again_is_there(filled, make_file_info, make_vector):
    filled.set_missing(["album/3.jpg"], SINCE)
    filled.search(make_vector(3)[None], 1)
    filled.update_files([make_file_info(3, mtime_ns=5), make_file_info(4)])
    known = filled.snapshot()["album/3.jpg"]
    assert (known.missing_since, known.mtime_ns) == (None, 5)
    assert len(found(filled, make_vector(3))) == 20


def test_details_of_an_edited_file_are_read_again(filled, make_file_info):
    filled.details.write(
        {"album/3.jpg": Details(reader=1, rating=5), "album/4.jpg": Details(reader=1, rating=4)}
    )
    filled.update_files([make_file_info(3, content_hash="new"), make_file_info(4, mtime_ns=5)])
    unread = filled.details.unread(1)
    assert "album/3.jpg" in unread and "album/4.jpg" not in unread


def test_an_unknown_path_is_refused_and_nothing_is_changed(filled):
    with pytest.raises(UnknownItem, match="nowhere"):
        filled.set_missing(["album/3.jpg", "nowhere.jpg"], SINCE)
    assert filled.counts().missing == 0


def test_an_index_of_missing_items_is_not_empty(filled):
    filled.set_missing(list(filled.snapshot()), SINCE)
    assert filled.counts().indexed == 0 and not filled.delete_if_empty()
