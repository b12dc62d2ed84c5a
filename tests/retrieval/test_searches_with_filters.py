"""Searches among the items that a filter holds for, and of a part of the ranks."""

import numpy as np
import pytest
from PIL import Image

from retrieval import FilterError, Gallery, JudgedQuery, Query, UsageError, evaluate

from .conftest import numbered


@pytest.fixture
def gallery(photos, tmp_path, model):
    with Gallery.build(photos, tmp_path / "index", model) as gallery:
        yield gallery


def paths(hits):
    return [hit.path for hit in hits]


def test_only_items_that_the_filter_holds_for_are_ranked(gallery):
    every = gallery.search(image=numbered(3), k=40)
    assert every[0].path == "a/03.png" and len(every) == 40
    found = gallery.search(image=numbered(3), k=40, where="folder = 'b' and suffix != 'png'")
    wanted = [path for path in paths(every) if path[0] == "b" and not path.endswith("png")]
    assert paths(found) == wanted
    assert [hit.rank for hit in found] == list(range(1, len(wanted) + 1))
    assert gallery.search(image=numbered(3), where="width > 32") == []


def test_counting_needs_no_model(gallery, tmp_path):
    with Gallery.open(tmp_path / "index", "nowhere") as unloaded:
        assert unloaded.count() == 40
        assert unloaded.count("suffix in ('bmp', 'TIF')") == 26
        assert unloaded.count("folder = 'a'", modalities="image") == 20
        with pytest.raises(FilterError, match="did you mean folder"):
            unloaded.count("fodler = 'a'")


def test_queries_of_a_batch_share_the_filter(gallery):
    queries = [Query.read(image=numbered(number)) for number in (1, 2)]
    odd, even = gallery.search_batch(queries, 3, where="folder = 'a'")
    assert odd[0].path == "a/01.bmp" and even[0].path.startswith("a/")


def test_a_page_of_hits_is_that_part_of_all_of_them(gallery):
    every = gallery.search(image=numbered(3), k=40)
    assert gallery.search(image=numbered(3), k=5) == every[:5]
    assert gallery.search(image=numbered(3), k=5, offset=10) == every[10:15]
    assert gallery.search(image=numbered(3), k=5, offset=38) == every[38:]
    assert gallery.search(image=numbered(3), k=5, offset=1000) == []


def test_hits_below_a_score_are_left_out(gallery):
    every = gallery.search(image=numbered(3), k=40)
    scores = np.array([hit.score for hit in every])
    assert gallery.search(image=numbered(3), k=40, min_score=every[4].score) == every[:5]
    assert gallery.search(image=numbered(3), k=3, min_score=every[4].score) == every[:3]
    assert gallery.search(image=numbered(3), k=40, min_score=2) == []
    kept = int((scores >= 0.3 * scores[0]).sum())
    assert 1 <= kept < 40
    assert gallery.search(image=numbered(3), k=40, cut=0.3) == every[:kept]
    assert gallery.search(image=numbered(3), k=40, cut=1) == every[:1]


def test_the_share_counts_from_the_best_hit_also_on_a_later_page(gallery):
    every = gallery.search(image=numbered(3), k=40)
    low = every[7].score / every[0].score
    assert gallery.search(image=numbered(3), k=40, offset=2, cut=low - 1e-6) == every[2:8]


def test_a_share_of_a_negative_best_score_is_below_it(gallery):
    worst = gallery.search(image=numbered(3), k=40)[-1]
    assert worst.score < 0
    alone = gallery.search(image=numbered(3), where=f"path = '{worst.path}'", cut=0.9)
    assert [hit.id for hit in alone] == [worst.id]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"offset": -1}, "offset must be >= 0, got -1"),
        ({"offset": 1.5}, "offset must be an integer"),
        ({"offset": 2**40}, "offset must be <="),
        ({"k": 0}, "k must be >= 1"),
        ({"min_score": float("nan")}, "min_score: expected a finite number"),
        ({"min_score": "0.5"}, "min_score: expected a finite number"),
        ({"cut": 1.5}, "cut must be in"),
        ({"cut": True}, "cut: expected a finite number"),
        ({"where": ""}, "empty string"),
        ({"where": 3}, "where: expected a string"),
    ],
)
def test_what_is_out_of_range_is_refused(gallery, options, reason):
    with pytest.raises(UsageError, match=reason):
        gallery.search(image=numbered(3), **options)


def test_an_evaluation_ranks_the_items_that_the_filter_holds_for(gallery):
    judged = [JudgedQuery({"image": numbered(n)}, [path]) for n, path in ((1, "a/01.bmp"),)]
    found = evaluate(gallery, judged, where="folder = 'a'")
    assert (found.items, found.recall[1], found.missing) == (20, 1.0, ())
    lost = evaluate(gallery, judged, where="folder = 'b'")
    assert (lost.items, lost.recall[10], lost.missing) == (20, 0.0, ("a/01.bmp",))
    with pytest.raises(UsageError, match="no items"):
        evaluate(gallery, judged, where="width = 1")


def test_the_metadata_of_new_photos_can_be_asked_for(tmp_path, model):
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "SONY", "ILCE-7"
    folder = tmp_path / "photos"
    folder.mkdir()
    numbered(1).save(folder / "1.jpg", exif=exif)
    numbered(2).save(folder / "2.jpg")
    with Gallery.build(folder, tmp_path / "index", model) as gallery:
        assert paths(gallery.search(image=numbered(2), where="camera = 'sony ilce-7'")) == ["1.jpg"]
        assert gallery.count("camera is null") == 1
