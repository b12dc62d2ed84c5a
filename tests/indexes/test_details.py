"""What the metadata of image files say is stored beside the items; no vector depends on it."""

import pytest

from indexes import BadRecord, Details, UnknownItem

FULL = Details(
    reader=1,
    camera="Canon EOS 5D",
    lens="EF 50mm",
    latitude=48.2,
    longitude=16.4,
    rating=5,
    tags=("Beach", "family"),
)


def generation(index):
    with index._catalogue.read() as session:
        return session.connection().exec_driver_sql("SELECT generation FROM spaces").scalar_one()


def test_details_are_written_with_their_items_and_read_again(index, make_record):
    index.write([make_record(0, details=FULL), make_record(1)])
    assert index.details.of([1, 2]) == {1: FULL}
    assert index.details.unread(1) == {"album/1.jpg"}
    assert index.details.unread(2) == {"album/0.jpg", "album/1.jpg"}


def test_items_get_details_later_and_no_vector_changes(filled):
    before = generation(filled)
    filled.details.write({"album/3.jpg": FULL})
    assert filled.details.of([4]) == {4: FULL}
    filled.details.write({"album/3.jpg": Details(reader=2, tags=("x",))})
    assert filled.details.of([4]) == {4: Details(reader=2, tags=("x",))}
    assert generation(filled) == before


def test_a_changed_item_loses_the_details_of_its_former_file(index, make_record):
    index.write([make_record(0, details=FULL)])
    index.write([make_record(0, content_hash="ab")])
    assert index.details.of([1]) == {}
    assert index.details.unread(1) == {"album/0.jpg"}


def test_a_renamed_item_keeps_its_details_and_a_deleted_one_takes_them_along(index, make_record):
    index.write([make_record(0, details=FULL)])
    index.rename({"album/0.jpg": "new.jpg"})
    assert index.details.of([1]) == {1: FULL}
    index.delete(["new.jpg"])
    with index._catalogue.read() as session:
        for table in ("details", "tags"):
            rows = session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}")
            assert rows.scalar_one() == 0


def test_tags_that_differ_in_case_or_in_how_accents_are_encoded_are_one(index, make_record):
    tags = ("Caf\u00e9", "cafe\u0301", "CAF\u00c9")
    index.write([make_record(0, details=Details(reader=1, tags=tags))])
    assert index.details.of([1])[1].tags == ("CAF\u00c9",)


def test_unknown_items_get_no_details(filled):
    with pytest.raises(UnknownItem, match=r"nowhere\.jpg"):
        filled.details.write({"nowhere.jpg": FULL, "album/3.jpg": FULL})
    assert filled.details.of([4]) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"latitude": 91.0, "longitude": 0.0},
        {"latitude": 0.0, "longitude": float("nan")},
        {"latitude": 0.0},
        {"rating": 6},
        {"camera": " "},
        {"tags": ("",)},
    ],
)
def test_details_out_of_range_are_refused(wrong):
    with pytest.raises(BadRecord):
        Details(reader=1, **wrong)
