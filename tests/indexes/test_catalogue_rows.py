"""What is stored of an item is read back, under an id that is never used again."""

from datetime import datetime

import numpy as np
import pytest

from indexes import BadRecord, Index, Record, UnknownItem


def test_all_values_are_read_back(index, folder, make_vector):
    facts = {
        "path": "2019/summer/dog.jpg",
        "size": 123_456_789_012,
        "mtime_ns": 1_558_888_888_123_456_789,
        "content_hash": "ab" * 32,
        "width": 4000,
        "height": 3000,
        "exif_date": datetime(2019, 5, 26, 18, 1, 28),
        "exif_orientation": 6,
        "ctime_ns": 1_558_888_888_123_456_790,
        "inode": -(2**63),
        "pixel_hash": "cd" * 32,
        "frames": 3,
    }
    index.write([Record(**facts, vectors={"dinov2": make_vector(1)})])
    index.close()

    with Index.open(folder) as reopened:
        known = reopened.snapshot()["2019/summer/dog.jpg"]
        photo = reopened.items([known.id])[known.id]
    assert {name: getattr(photo, name) for name in facts} == facts
    assert (photo.id, photo.state, photo.error) == (known.id, "indexed", None)
    assert (known.size, known.mtime_ns) == (facts["size"], facts["mtime_ns"])
    assert (known.content_hash, known.state) == (facts["content_hash"], "indexed")
    assert (known.ctime_ns, known.inode) == (facts["ctime_ns"], facts["inode"])
    assert known.pixel_hash == facts["pixel_hash"]


def test_the_decoder_that_a_skipped_file_needs_is_read_back(index):
    index.write([Record(path="a.heic", size=1, mtime_ns=1, error="HEIC", needs_decoder="heif")])
    assert index.snapshot()["a.heic"].needs_decoder == "heif"
    assert index.skipped()[0].needs_decoder == "heif"


def test_skipped_items_are_listed_with_their_reason_and_have_no_vector(filled, make_vector):
    filled.write(
        [
            Record(path="z.jpg", size=0, mtime_ns=5, error="zero bytes"),
            Record(path="b.jpg", size=9, mtime_ns=5, content_hash="aa", error="not an image"),
        ]
    )
    skipped = filled.skipped()
    assert [(p.path, p.state, p.error) for p in skipped] == [
        ("b.jpg", "skipped", "not an image"),
        ("z.jpg", "skipped", "zero bytes"),
    ]
    assert skipped[1].content_hash is None
    assert (filled.counts().indexed, filled.counts().skipped, filled.counts().total) == (20, 2, 22)
    _, ids, *_ = filled.search(make_vector(0)[None], k=100)
    assert set(ids[0].tolist()) == set(range(1, 21))
    with pytest.raises(UnknownItem):
        filled.vectors([skipped[0].id])


def test_root_and_recipe_are_read_back(index, folder, recipe, tmp_path):
    index.close()
    with Index.open(folder) as reopened:
        assert reopened.root == tmp_path / "photos"
        assert reopened.recipe == recipe


def test_a_changed_file_keeps_its_id_and_gets_the_new_values_and_vector(filled, make_record):
    before = filled.snapshot()
    filled.write(
        [make_record(3, size=77, content_hash="new", vector=make_record(103).vectors["dinov2"])]
    )
    after = filled.snapshot()
    assert {path: known.id for path, known in after.items()} == {
        path: known.id for path, known in before.items()
    }
    changed = after["album/3.jpg"]
    assert (changed.size, changed.content_hash) == (77, "new")
    assert np.array_equal(filled.vectors([changed.id])[0], make_record(103).vectors["dinov2"])
    scores, ids, *_ = filled.search(make_record(103).vectors["dinov2"][None], k=1)
    assert ids[0, 0] == changed.id
    assert scores[0, 0] == pytest.approx(1.0, abs=1e-6)


def test_an_unreadable_item_loses_its_vector_until_it_is_read_again(filled, make_record):
    number = filled.snapshot()["album/3.jpg"].id
    filled.write([Record(path="album/3.jpg", size=0, mtime_ns=1, error="zero bytes")])
    filled.verify()
    assert [p.id for p in filled.skipped()] == [number]
    assert number not in filled.search(make_record(3).vectors["dinov2"][None], k=20)[1]

    filled.write([make_record(3)])
    filled.verify()
    assert filled.skipped() == []
    assert filled.search(make_record(3).vectors["dinov2"][None], k=1)[1][0, 0] == number


def test_deleted_items_are_gone_and_their_ids_are_not_used_again(filled, make_record):
    last = filled.snapshot()["album/19.jpg"].id
    assert filled.delete(["album/19.jpg", "album/0.jpg", "never/was.jpg"]) == 2
    filled.verify()
    assert filled.counts().total == 18
    assert last not in filled.search(make_record(19).vectors["dinov2"][None], k=20)[1]
    with pytest.raises(UnknownItem, match=str(last)):
        filled.items([last])
    filled.write([make_record(50)])
    assert filled.snapshot()["album/50.jpg"].id > last


def test_a_moved_file_keeps_its_id_and_vector(filled, make_record):
    number = filled.snapshot()["album/3.jpg"].id
    filled.rename({"album/3.jpg": "elsewhere/three.jpg"})
    known = filled.snapshot()
    assert "album/3.jpg" not in known
    assert known["elsewhere/three.jpg"].id == number
    assert np.array_equal(filled.vectors([number])[0], make_record(3).vectors["dinov2"])


def test_two_files_may_swap_names(filled):
    before = filled.snapshot()
    filled.rename({"album/3.jpg": "album/4.jpg", "album/4.jpg": "album/3.jpg"})
    after = filled.snapshot()
    assert after["album/3.jpg"].id == before["album/4.jpg"].id
    assert after["album/4.jpg"].id == before["album/3.jpg"].id


def test_a_rename_to_a_taken_or_from_an_unknown_name_changes_nothing(filled):
    before = filled.snapshot()
    with pytest.raises(BadRecord, match=r"album/4\.jpg"):
        filled.rename({"album/2.jpg": "free.jpg", "album/3.jpg": "album/4.jpg"})
    with pytest.raises(UnknownItem, match="nowhere"):
        filled.rename({"album/2.jpg": "free.jpg", "nowhere.jpg": "album/99.jpg"})
    with pytest.raises(BadRecord, match="same path"):
        filled.rename({"album/2.jpg": "free.jpg", "album/3.jpg": "free.jpg"})
    with pytest.raises(BadRecord, match="relative"):
        filled.rename({"album/2.jpg": "../free.jpg"})
    assert filled.snapshot() == before


def test_update_files_changes_nothing_else(filled, make_file_info):
    before = filled.snapshot()
    filled.update_files([make_file_info(3, mtime_ns=42)])
    after = filled.snapshot()
    assert after["album/3.jpg"].mtime_ns == 42
    assert after["album/3.jpg"].content_hash == before["album/3.jpg"].content_hash
    assert after["album/4.jpg"] == before["album/4.jpg"]
    with pytest.raises(UnknownItem):
        filled.update_files([make_file_info(3), make_file_info(3, path="nowhere.jpg")])


def test_relocate_sets_the_root(filled, folder, tmp_path):
    filled.relocate(tmp_path / "new place")
    assert filled.root == tmp_path / "new place"
    with Index.open(folder) as reopened:
        assert reopened.root == tmp_path / "new place"


def test_file_names_that_are_not_valid_utf8_are_stored_and_found(index, make_record):
    names = [
        "caf\udce9.jpg",
        "café.jpg",
        "cafe\u0301.jpg",
        "日本/猫.jpg",
        "a'b\"c%d?.jpg",
        "x\ny.jpg",
    ]
    index.write([make_record(n, path=name) for n, name in enumerate(names)])
    index.write([make_record(90, path=names[0])])
    known = index.snapshot()
    assert set(known) == set(names)
    assert index.items([known[names[0]].id])[known[names[0]].id].path == names[0]
    index.rename({names[0]: "plain.jpg", names[1]: "caf\udce8.jpg"})
    assert index.delete(["caf\udce8.jpg"]) == 1
    assert "plain.jpg" in index.snapshot()


def test_an_error_text_that_quotes_such_a_name_is_stored(index):
    index.write([Record(path="x", size=1, mtime_ns=1, error="cannot read caf\udce9.jpg")])
    assert index.skipped()[0].error == "cannot read caf\\udce9.jpg"


def test_more_records_than_fit_one_statement(index, make_record):
    index.write([make_record(number) for number in range(1300)])
    assert index.counts().indexed == 1300
    ids = [known.id for known in index.snapshot().values()]
    assert [p.id for p in index.items(ids).values()] == ids
    assert index.vectors(ids).shape == (1300, 16)
    assert index.delete(f"album/{number}.jpg" for number in range(1200)) == 1200
    assert index.counts().indexed == 100
    index.verify()


def test_writing_no_records_does_nothing(index):
    index.write([])
    assert index.counts().total == 0
