"""Which items a condition holds for."""

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from indexes import BadSearch, Details, Index
from indexes.conditions import (
    AllOf,
    AnyOf,
    Compare,
    Known,
    Like,
    Near,
    Not,
    OneOf,
)

STORED = Path(__file__).parents[1] / "fixtures"
VIENNA, GRAZ = (48.2082, 16.3738), (47.0707, 15.4395)


@pytest.fixture
def photos(index, make_record):
    """Ids 1 to 6."""
    taken = datetime(2024, 5, 1, 12, 30)
    index.write(
        [
            make_record(0, path="a.JPG", width=640, height=480, exif_date=taken, size=10),
            make_record(1, path="trips/Rom/b.png", width=480, height=640, size=20, frames=3),
            make_record(2, path="trips/Ca\u0301fe%x/c.tar.gz", width=500, height=500, size=30),
            make_record(3, path="trips/.hidden", width=None, height=None, mtime_ns=0),
            make_record(4, path="trips2/\udcff_d.jpg", exif_date=datetime(2025, 1, 1)),
            make_record(5, path="gone.jpg", vectors=None, error="damaged"),
        ]
    )
    for path, details in {
        "a.JPG": Details(reader=1, camera="Canon EOS 5D", rating=5, tags=("Beach", "family")),
        "trips/Rom/b.png": Details(
            reader=1, latitude=VIENNA[0], longitude=VIENNA[1], tags=("beach",)
        ),
        "trips/.hidden": Details(reader=1, latitude=GRAZ[0], longitude=GRAZ[1], rating=1),
        "gone.jpg": Details(reader=1, rating=5),
    }.items():
        index.details.write({path: details})
    return index


ALL = [1, 2, 3, 4, 5]
CASES = {
    "name that is not UTF-8": (Compare("name", "=", "\udcff_d.jpg"), [5]),
    "one of them": (OneOf("path", ("x", "trips2/\udcff_D.jpg")), [5]),
    "pattern of it": (Like("path", "trips2/\udcff%"), [5]),
    "half of a character": (OneOf("name", ("\ud800_d.jpg.", "a.jpg")), [1]),
    "number": (Compare("width", ">=", 500), [1, 3, 5]),
    "fraction": (Compare("width", ">", 499.5), [1, 3, 5]),
    "size": (Compare("size", "<", 20), [1]),
    "not equal includes unknown": (Not(Compare("width", "=", 640)), [2, 3, 4]),
    "unknown is not less": (Compare("width", "<", 10_000), [1, 2, 3, 5]),
    "and": (AllOf((Compare("width", ">", 490), Compare("height", "<", 490))), [1, 5]),
    "or": (AnyOf((Compare("size", "=", 10), Compare("size", "=", 20))), [1, 2]),
    "in": (OneOf("size", (10, 30)), [1, 3]),
    "not in": (Not(OneOf("size", (10, 30))), [2, 4, 5]),
    "in nothing": (OneOf("size", ()), []),
    "path": (Compare("path", "=", "A.jpg"), [1]),
    "name": (Compare("name", "=", "b.PNG"), [2]),
    "folder": (Compare("folder", "=", "TRIPS/rom"), [2]),
    "root folder": (Compare("folder", "=", ""), [1]),
    "suffix": (OneOf("suffix", ("jpg", "GZ")), [1, 3, 5]),
    "no suffix": (Not(Known("suffix")), [4]),
    "tree": (Like("path", "trips/%"), [2, 3, 4]),
    "accents": (Like("path", "%C\u00c1FE%"), [3]),
    "one character": (Like("path", "trips/c_fe%"), [3]),
    "escaped": (Like("path", r"%\%x%"), [3]),
    "brackets are plain": (Like("path", "%[a-z]%"), []),
    "not UTF-8": (Like("path", "trips2/%d.jpg"), [5]),
    "taken": (Compare("taken", "<", datetime(2024, 5, 1, 12, 31)), [1]),
    "taken known": (Known("taken"), [1, 5]),
    "modified": (Compare("modified", "<", datetime(1971, 1, 1, tzinfo=timezone.utc)), [4]),
    "landscape": (Compare("orientation", "=", "landscape"), [1, 5]),
    "portrait": (Compare("orientation", "=", "Portrait"), [2]),
    "square": (Compare("orientation", "=", "square"), [3]),
    "frames": (Compare("frames", ">", 1), [2]),
    "modality": (Compare("modality", "=", "image"), ALL),
    "camera": (Like("camera", "canon%"), [1]),
    "no camera": (Not(Like("camera", "canon%")), [2, 3, 4, 5]),
    "rating": (Compare("rating", ">=", 1), [1, 4]),
    "tag": (Compare("tag", "=", "BEACH"), [1, 2]),
    "tags": (AllOf((Compare("tag", "=", "beach"), Compare("tag", "=", "family"))), [1]),
    "not tagged so": (Not(Compare("tag", "=", "family")), [2, 3, 4, 5]),
    "some tag": (Known("tag"), [1, 2]),
    "tag like": (Like("tag", "fam%"), [1]),
    "tag in": (OneOf("tag", ("x", "Family")), [1]),
    "near": (Near(48.2, 16.4, 5_000), [2]),
    "near enough": (Near(48.2, 16.4, 150_000), [2, 4]),
    "not near": (Not(Near(48.2, 16.4, 5_000)), [1, 3, 4, 5]),
    "north": (Compare("latitude", ">", 48), [2]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_condition_holds_for(photos, name):
    condition, ids = CASES[name]
    assert photos.select(condition).tolist() == ids
    assert photos.select(Not(condition)).tolist() == [id_ for id_ in ALL if id_ not in ids]


def test_the_distance_is_that_of_the_great_circle_also_across_the_date_line(index, make_record):
    index.write([make_record(0, details=Details(reader=1, latitude=0.0, longitude=179.9))])
    kilometres = 0.2 * np.pi / 180 * 6371.0088
    assert index.select(Near(0.0, -179.9, 1000 * kilometres + 1)).tolist() == [1]
    assert index.select(Near(0.0, -179.9, 1000 * kilometres - 1)).tolist() == []


def test_missing_items_are_left_out(photos):
    photos.set_missing(["a.JPG"], datetime(2026, 1, 1))
    assert photos.select(Known("path")).tolist() == [2, 3, 4, 5]


def test_other_galleries_can_be_left_out(photos):
    everything = Known("path")
    assert photos.select(everything, modalities=["image"]).tolist() == ALL
    with pytest.raises(BadSearch, match="depth"):
        photos.select(everything, modalities=["depth"])


@pytest.mark.parametrize("version", [1, 2])
def test_an_index_of_an_older_format_has_no_details_and_is_not_changed(version):
    with Index.open(STORED / f"index_format_{version}") as old:
        some = old.select(Like("path", "%.bmp"), modalities=["image"])
        assert len(some) > 1
        for condition in (
            Known("camera"),
            Compare("rating", "=", 5),
            Like("lens", "%"),
            Compare("tag", "=", "x"),
            Near(0, 0, 1e9),
            Compare("frames", ">=", 1),
        ):
            assert not len(old.select(condition))
            assert set(some) <= set(old.select(Not(condition)))
        assert old.index_id is None


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (Compare("colour", "=", 1), "no field 'colour'"),
        (Known("id"), "no field 'id'"),
        (Compare("width", "=", "1"), "width is compared with a number"),
        (Compare("width", "=", True), "width is compared with a number"),
        (Compare("path", "=", 1), "path is compared with a text"),
        (Compare("path", "<", "a"), "path is text"),
        (Compare("width", "; --", 1), "unknown operator"),
        (Like("width", "1%"), "width is not text"),
        (Compare("width", "<", float("nan")), "out of range"),
        (Compare("width", "<", 2**63), "out of range"),
        (Compare("taken", "<", datetime(2024, 1, 1, tzinfo=timezone.utc)), "naive"),
        (Compare("modified", "<", datetime(2024, 1, 1)), "aware"),
        (Near(91, 0, 1), "degrees"),
        (Near(0, 0, -1), "distance"),
        (Like("path", "a" * 1001), "1000 characters"),
        (OneOf("width", tuple(range(501))), "500 values"),
        (AnyOf((Known("path"),) * 201), "200 comparisons"),
        (AllOf(()), "at least one"),
        ("1 = 1", "not a condition"),
    ],
)
def test_what_is_not_a_condition_is_refused(filled, condition, reason):
    with pytest.raises(BadSearch, match=reason):
        filled.select(condition)


def test_the_largest_conditions_are_answered(filled):
    deep = Compare("width", "=", 640)
    for _ in range(48):
        deep = Not(deep)
    assert len(filled.select(deep)) == 20
    wide = AnyOf((Compare("width", "=", 640),) * 200)
    assert len(filled.select(wide)) == len(filled.select(wide, modalities=["image"])) == 20
    assert len(filled.select(OneOf("width", tuple(range(400, 900))))) == 20
    for _ in range(10):
        deep = Not(deep)
    with pytest.raises(BadSearch, match="50 levels"):
        filled.select(deep)


def test_the_worst_pattern_is_answered(index, make_record):
    index.write([make_record(0, path="a" * 4000)])
    assert not len(index.select(Like("path", "%a" * 400 + "b")))
    assert index.select(Like("path", "%a" * 400)).tolist() == [1]
