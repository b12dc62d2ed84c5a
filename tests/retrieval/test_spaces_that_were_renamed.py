"""The space of mini was called `dinov2`, like 4M-21's; an index may still call it so."""

import shutil
from pathlib import Path

import pytest

import fourm
from indexes import RecipeMismatch
from retrieval import Gallery, JudgedQuery, UsageError, evaluate
from tests.indexes.make_format_1 import make_photos

from .conftest import numbered
from .fake_model import FakeModel
from .files import write

STORED = Path(__file__).parents[1] / "fixtures" / "index_mini_dinov2"
FINGERPRINT = "5a267c6fd463c78964552c432d57bf9e0b22eef10a2279fc61c036e80104208e"


@pytest.fixture(scope="module")
def mini():
    return fourm.load_model("mini", device="cpu", dtype="float32")


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos")


@pytest.fixture
def old(tmp_path):
    return Path(shutil.copytree(STORED, tmp_path / "old.index"))


def test_the_vectors_of_images_are_those_of_the_former_name(mini):
    photos = mini.spaces["dinov2-s14"]
    assert mini.default_space == "dinov2-s14" and photos.former_name == "dinov2"
    assert FINGERPRINT in (mini.space_fingerprint("dinov2-s14"), *photos.succeeds)


def test_an_old_index_is_searched(old, mini):
    with Gallery.open(old, mini) as gallery:
        for spaces in (None, "dinov2", "all"):
            hits = gallery.search(image=numbered(3), spaces=spaces)
            assert len(hits) == 6 and hits[0].path == "3.bmp"
            assert hits[0].score == pytest.approx(1, abs=1e-3) and hits[0].space == "dinov2"


def test_an_old_index_is_searched_by_the_new_name_of_its_space(old, mini):
    with Gallery.open(old, mini) as gallery:
        for spaces in ("dinov2-s14", {"dinov2-s14": 2}):
            hits = gallery.search(image=numbered(3), spaces=spaces)
            assert hits[0].path == "3.bmp" and hits[0].space == "dinov2"
        judged = [JudgedQuery({"text": "snow"}, ["3.bmp"])]
        assert evaluate(gallery, judged, spaces="dinov2-s14").queries == 1
        with pytest.raises(UsageError, match="has no space 'dinov3'; it has dinov2"):
            gallery.search(text="snow", spaces="dinov3")


@pytest.mark.parametrize("spaces", [None, "dinov2", "dinov2-s14", "all"])
def test_an_old_index_is_extended_in_its_space(old, photos, mini, spaces):
    write(photos / "new.png", numbered(50))
    with Gallery.build(photos, old, mini, spaces=spaces) as gallery:
        further = [name for name in mini.spaces if name != "dinov2-s14"]
        added = further if spaces in (None, "all") else []
        kept = "completed" if added else "unchanged"
        assert (getattr(gallery.report, kept), gallery.report.indexed) == (6, 1)
        assert list(gallery.index.recipes) == ["dinov2", *added]
        assert gallery.index.recipe.fingerprint == FINGERPRINT
        assert gallery.search(image=numbered(50))[0].path == "new.png"


def test_an_old_index_takes_a_further_gallery(old, tmp_path, mini):
    (tmp_path / "captions.txt").write_text("a red square\na dog in the snow\n")
    with Gallery.build(tmp_path / "captions.txt", old, mini, modality="text") as gallery:
        assert gallery.report.indexed == 2 and gallery.index.recipe.space == "dinov2"
        assert len(gallery.search(text="a dog", k=9)) == 8


def test_an_old_index_is_of_mini_alone(old):
    with Gallery.open(old, FakeModel()) as gallery, pytest.raises(RecipeMismatch):
        gallery.search(text="red")


def test_a_new_index_has_the_new_name(photos, tmp_path, mini):
    with Gallery.build(photos, tmp_path / "new.index", mini) as gallery:
        assert list(gallery.index.recipes) == list(mini.spaces)
        assert gallery.index.recipe.fingerprint == mini.space_fingerprint("dinov2-s14")
        assert gallery.search(image=numbered(3), spaces="dinov2-s14")[0].path == "3.bmp"


def test_the_former_name_says_the_new_one(photos, tmp_path, mini):
    said = "the space 'dinov2' of mini is called 'dinov2-s14' now"
    with pytest.raises(UsageError, match=said):
        Gallery.build(photos, tmp_path / "new.index", mini, spaces="dinov2")
    with pytest.raises(fourm.UnknownSpace, match=said):
        mini.embed([mini.prepare({"text": "snow"})], space="dinov2")
