"""Hits whose file is gone are marked; a closed gallery, or one whose index is gone, is refused."""

import json
import shutil

import pytest

from indexes import ReplacedIndex
from retrieval import Gallery, Query, RetrievalError, UsageError

from .conftest import numbered


@pytest.fixture
def gallery(photos, model, tmp_path):
    with Gallery.build(photos, tmp_path / "index", model) as gallery:
        yield gallery


def test_the_hit_and_its_json_say_so(gallery, photos):
    (photos / "a/01.bmp").unlink()
    gone, there = gallery.search(image=numbered(1), k=2)
    assert (gone.path, gone.missing, there.missing) == ("a/01.bmp", True, False)
    assert gone.as_dict()["missing"] is True and "missing" not in there.as_dict()
    json.dumps(gone.as_dict())


def test_a_closed_gallery_refuses_to_search(gallery):
    gallery.search(image=numbered(1))
    gallery.close()
    for act in (
        lambda: gallery.search(image=numbered(1)),
        lambda: gallery.search_batch([]),
        lambda: gallery.search_batch([Query.read(text="red")]),
    ):
        with pytest.raises(UsageError, match="closed"):
            act()


def test_an_index_rebuilt_under_an_open_gallery_gives_the_images_of_now(
    gallery, photos, model, tmp_path
):
    assert gallery.search(image=numbered(1), k=1)[0].path == "a/01.bmp"
    shutil.rmtree(tmp_path / "index")
    with pytest.raises((ReplacedIndex, RetrievalError), match="deleted"):
        gallery.search(image=numbered(1))
    (photos / "a/01.bmp").rename(photos / "b/first.bmp")
    Gallery.build(photos, tmp_path / "index", model).close()
    hit = gallery.search(image=numbered(1), k=1)[0]
    assert hit.path == "b/first.bmp" and hit.score == pytest.approx(1, abs=1e-5)
