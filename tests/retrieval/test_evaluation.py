import json
from datetime import datetime

import numpy as np
import pytest
from PIL import Image

from retrieval import (
    Gallery,
    JudgedQuery,
    QueryError,
    UsageError,
    evaluate,
    read_queries,
)
from retrieval.modalities.panoptic import coco_panoptic

from .conftest import numbered
from .files import write


@pytest.fixture
def gallery(photos, model):
    with Gallery.build(photos, photos.parent / "i", model) as built:
        yield built


@pytest.fixture
def file(tmp_path):
    def written(*entries):
        path = tmp_path / "q" / "queries.jsonl"
        path.parent.mkdir(exist_ok=True)
        lines = [e if isinstance(e, str) else json.dumps(e) for e in entries]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return written


def test_images_that_find_themselves_are_perfect(gallery, file, tmp_path):
    for number in range(6):
        write(tmp_path / f"q/pics/{number}.png", numbered(number))
    names = ["b/00.png", "a/01.bmp", "b/02.tif", "a/03.png", "b/04.bmp", "a/05.tif"]
    entries = [
        {"image": f"pics/{number}.png", "relevant": [f"./{names[number]}"]} for number in range(6)
    ]
    result = evaluate(gallery, read_queries(file(*entries)), batch_size=4)
    assert result.as_dict() == {
        "queries": 6,
        "recall@1": 1.0,
        "recall@5": 1.0,
        "recall@10": 1.0,
        "precision@10": pytest.approx(0.1),
        "median_rank": 1,
        "map": 1.0,
        "items": 40,
        "missing": 0,
    }


def test_the_numbers_follow_from_the_ranking(gallery, file):
    ranking = [hit.path for hit in gallery.search(text="red", k=40)]
    path = file(
        {"text": "red", "relevant": [ranking[1], ranking[3]]},  # AP (1/2 + 2/4) / 2
        {"text": "red", "relevant": [ranking[6], ranking[6]]},  # AP 1/7
        {"text": "red", "relevant": [ranking[0], "not/there.jpg"]},  # AP (1/1 + 0) / 2
        "",
        {"text": "red", "relevant": ["gone.jpg"]},  # AP 0, rank 41
    )
    result = evaluate(gallery, read_queries(path))
    assert result.recall == {1: 0.25, 5: 0.5, 10: 0.75}
    assert result.precision == pytest.approx((2 + 1 + 1 + 0) / 4 / 10)
    assert result.median_rank == (2 + 7) / 2
    assert result.mean_average_precision == pytest.approx((0.5 + 1 / 7 + 0.5 + 0) / 4)
    assert result.missing == ("gone.jpg", "not/there.jpg")
    assert result.as_dict()["median_rank"] == 4.5


def test_items_whose_files_are_missing_are_no_items(gallery, file):
    best, second = (hit.path for hit in gallery.search(text="red", k=2))
    gallery.index.set_missing([best], datetime(2026, 1, 2))
    entries = [{"text": "red", "relevant": [path]} for path in (best, second)]
    result = evaluate(gallery, read_queries(file(*entries)))
    assert (result.items, result.missing) == (39, (best,))
    assert result.recall[1] == 0.5


def test_a_tiny_gallery_has_no_recall_of_what_is_missing(model, tmp_path, file):
    write(tmp_path / "p/a.png", numbered(1))
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        result = evaluate(gallery, read_queries(file({"text": "red", "relevant": ["b.png"]})))
    assert result.recall == {1: 0.0, 5: 0.0, 10: 0.0} and result.median_rank == 2


def test_queries_run_in_batches_with_all_their_inputs(gallery, model, file, tmp_path):
    ids = np.full((8, 8), 1, np.uint8)
    write(tmp_path / "q/a.png", Image.fromarray(coco_panoptic().paint(ids)))
    entries = [
        {"text": "red", "relevant": ["b/00.png"]},
        {"text": "red", "image": "a.png", "seg": "a.png", "relevant": ["b/00.png"]},
        {"text": None, "seg": "a.png", "relevant": ["b/00.png"]},
    ] * 3
    model.batches.clear()
    evaluate(gallery, read_queries(file(*entries)), batch_size=4)
    assert model.batches == [4, 4, 1]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "not JSON"),
        ("[1]", "expected a JSON object"),
        ("[" * 100_000, "not JSON"),
        ('{"relevant": ["a.jpg"]}', "no input"),
        ('{"text": "x"}', "relevant"),
        ('{"text": "x", "relevant": []}', "relevant"),
        ('{"text": "x", "relevant": "a.jpg"}', "relevant"),
        ('{"text": "x", "relevant": [3]}', "relevant"),
        ('{"text": " ", "relevant": ["a.jpg"]}', "text"),
        ('{"text": 3, "relevant": ["a.jpg"]}', "text"),
        ('{"image": "gone.jpg", "relevant": ["a.jpg"]}', "no such file: gone.jpg"),
        ('{"txt": "x", "relevant": ["a.jpg"]}', "unknown key 'txt'"),
    ],
)
def test_a_wrong_line_is_named(file, line, words):
    path = file({"text": "x", "relevant": ["a.jpg"]}, "", line)
    with pytest.raises(UsageError) as caught:
        read_queries(path)
    assert f"{path}:3: " in str(caught.value) and words in str(caught.value)


def test_an_image_that_cannot_be_read_is_named_with_its_line(gallery, file, tmp_path):
    path = file({"text": "red", "relevant": ["x"]}, {"image": "bad.png", "relevant": ["x"]})
    (tmp_path / "q/bad.png").write_bytes(b"bad")
    with pytest.raises(QueryError, match=r"queries\.jsonl:2: .*bad\.png: not an image"):
        evaluate(gallery, read_queries(path))


def test_files_that_cannot_be_queries_are_refused(file, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "gone", tmp_path, tmp_path / "binary", file("", "  ")):
        with pytest.raises(UsageError, match=path.name):
            read_queries(path)


def test_an_index_without_items_cannot_be_evaluated(model, tmp_path, file):
    (tmp_path / "p").mkdir()
    (tmp_path / "p/bad.jpg").write_bytes(b"")
    with (
        Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery,
        pytest.raises(UsageError, match="no items to search"),
    ):
        evaluate(gallery, read_queries(file({"text": "red", "relevant": ["b.png"]})))


def test_no_queries_are_refused(gallery, file):
    judged = read_queries(file({"text": "red", "relevant": ["b/00.png"]}))
    with pytest.raises(UsageError, match="no queries; give"):
        evaluate(gallery, [])
    with pytest.raises(UsageError, match="batch size must be >= 1, got 0"):
        evaluate(gallery, judged, batch_size=0)


def test_queries_are_a_file_or_are_made_in_python(gallery, file):
    path = file({"text": "red", "relevant": ["b/00.png"]})
    made = [JudgedQuery({"text": "red"}, ["b/00.png"])]
    assert evaluate(gallery, path) == evaluate(gallery, made)
    with pytest.raises(QueryError, match=r"^query 2: .*empty"):
        evaluate(gallery, [*made, JudgedQuery({"text": " "}, ["b/00.png"])])


@pytest.mark.parametrize("queries", [5, ["red"], {"text": "red"}])
def test_other_things_than_judged_queries_are_refused(gallery, queries):
    with pytest.raises(UsageError, match="queries: expected a file or a list of JudgedQuery"):
        evaluate(gallery, queries)
    with pytest.raises(UsageError, match="batch size must be >= 1, got 'x'"):
        evaluate(gallery, [JudgedQuery({"text": "red"}, ["a.png"])], batch_size="x")


@pytest.mark.parametrize(
    ("stored", "asked"), [("caf\u00e9.png", "cafe\u0301.png"), ("cafe\u0301.png", "caf\u00e9.png")]
)
def test_names_are_found_however_accents_are_encoded(stored, asked, model, tmp_path, file):
    write(tmp_path / "p" / stored, numbered(1))
    write(tmp_path / "p/other.png", numbered(2))
    write(tmp_path / "q/1.png", numbered(1))
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        result = evaluate(gallery, file({"image": "1.png", "relevant": [asked]}))
    assert result.missing == () and result.recall[1] == 1.0


def test_an_exact_name_comes_before_one_that_looks_alike(model, tmp_path, file):
    write(tmp_path / "p/caf\u00e9.png", numbered(1))
    write(tmp_path / "p/cafe\u0301.png", numbered(2))
    if len(list((tmp_path / "p").iterdir())) < 2:
        pytest.skip("this file system takes both names for one")
    write(tmp_path / "q/1.png", numbered(1))
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        result = evaluate(gallery, file({"image": "1.png", "relevant": ["cafe\u0301.png"]}))
    assert result.recall[1] == 0.0 and result.median_rank == 2


def test_items_of_a_disk_that_is_away_do_not_count(model, tmp_path, file):
    for number in range(3):
        write(tmp_path / f"p/{'nas' if number else 'here'}/{number}.png", numbered(number))
    write(tmp_path / "q/1.png", numbered(1))
    Gallery.build(tmp_path / "p", tmp_path / "i", model).close()
    (tmp_path / "p/nas").rename(tmp_path / "disk")
    with Gallery.build(tmp_path / "p", tmp_path / "i", model) as gallery:
        result = evaluate(gallery, file({"image": "1.png", "relevant": ["nas/1.png"]}))
    assert (result.items, result.missing) == (1, ("nas/1.png",))
