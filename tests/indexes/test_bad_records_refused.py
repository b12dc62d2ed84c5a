"""Invalid records are refused, and nothing of such a write is stored."""

from datetime import datetime, timezone

import numpy as np
import pytest

from indexes import BadRecipe, BadRecord, BadVector, Recipe, Record


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/etc/passwd",
        "../a.jpg",
        "a/../b.jpg",
        "./a.jpg",
        "a//b.jpg",
        "a/",
        "a\0b",
        "\ud800",
    ],
)
def test_a_path_must_be_relative_and_plain(path, make_record):
    with pytest.raises(BadRecord):
        make_record(1, path=path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", -1),
        ("size", 1.5),
        ("size", True),
        ("size", 2**63),
        ("mtime_ns", "now"),
        ("width", 0),
        ("height", -3),
        ("exif_orientation", 0),
        ("exif_orientation", 9),
        ("content_hash", ""),
        ("pixel_hash", ""),
        ("ctime_ns", 2**63),
        ("inode", "5"),
        ("frames", 0),
        ("needs_decoder", "rawpy"),
        ("exif_date", datetime(2020, 1, 1, tzinfo=timezone.utc)),
    ],
)
def test_a_value_out_of_range_is_named(name, value, make_record):
    with pytest.raises(BadRecord, match=name):
        make_record(1, **{name: value})


def test_a_record_has_a_vector_or_an_error(make_record, make_vector):
    with pytest.raises(BadRecord, match="either vectors or an error"):
        make_record(1, vector=None)
    with pytest.raises(BadRecord, match="either vectors or an error"):
        make_record(1, error="no")
    with pytest.raises(BadRecord, match="empty"):
        Record(path="a", size=1, mtime_ns=1, error=" ")


def _with(position, value):
    vector = np.zeros(16, dtype=np.float32)
    vector[0] = 1.0
    vector[position] = value
    return vector


BAD_VECTORS = {
    "too short": (np.ones(15, dtype=np.float32) / np.sqrt(np.float32(15)), r"\(16,\), got \(15,\)"),
    "too long": (np.ones(17, dtype=np.float32) / np.sqrt(np.float32(17)), r"\(16,\), got \(17,\)"),
    "a row of a matrix": (_with(0, 1.0)[None], r"\(16,\), got \(1, 16\)"),
    "no array": ([1.0] + [0.0] * 15, "list"),
    "float64": (_with(0, 1.0).astype(np.float64), "float64"),
    "float16": (_with(0, 1.0).astype(np.float16), "float16"),
    "objects": (_with(0, 1.0).astype(object), "object"),
    "NaN": (_with(3, np.nan), "NaN"),
    "infinity": (_with(3, np.inf), "infinity"),
    "negative infinity": (_with(3, -np.inf), "infinity"),
    "zero": (_with(0, 0.0), "unit length, got 0$"),
    "twice too long": (_with(0, 2.0), "unit length, got 2$"),
    "huge": (_with(0, 3e38), "unit length, got 3e"),
    "slightly off": (_with(0, 1.002), "unit length, got 1.002$"),
}


@pytest.mark.parametrize("case", BAD_VECTORS)
def test_a_bad_vector_is_refused_with_the_path_of_its_item(case, filled, make_record):
    vector, message = BAD_VECTORS[case]
    before = filled.snapshot()
    with pytest.raises(BadVector, match=message) as caught:
        filled.write([make_record(30), make_record(31, vector=vector), make_record(32)])
    assert "album/31.jpg" in str(caught.value)
    assert filled.snapshot() == before


def test_rounding_in_half_precision_is_allowed(index, make_record, make_vector):
    rounded = make_vector(1).astype(np.float16).astype(np.float32)
    index.write([make_record(1, vector=rounded)])
    scores, _, *_ = index.search(make_vector(1)[None], k=1)
    assert scores[0, 0] == pytest.approx(1.0, abs=1e-3)


def test_a_vector_in_another_memory_order_is_stored_right(index, make_record, make_vector):
    strided = np.stack([make_vector(1), make_vector(2)], axis=1)[:, 1]
    assert not strided.flags.c_contiguous
    index.write([make_record(1, vector=strided)])
    assert np.array_equal(index.vectors([1])[0], make_vector(2))


def test_the_same_path_twice_in_a_write_is_refused(index, make_record):
    with pytest.raises(BadRecord, match=r"album/1\.jpg"):
        index.write([make_record(1), make_record(2), make_record(1)])
    assert index.counts().total == 0


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"fingerprint": ""},
        {"space": ""},
        {"preprocessing": ""},
        {"dim": 0},
        {"dim": 65537},
        {"dim": 16.0},
        {"dim": True},
    ],
)
def test_an_impossible_recipe_is_refused(change):
    parts = {"model": "m", "fingerprint": "f", "space": "s", "dim": 16, "preprocessing": "p"}
    with pytest.raises(BadRecipe, match=next(iter(change))):
        Recipe(**{**parts, **change})
