"""Items of a folder that is empty or gone are kept, hidden, and come back without embedding."""

import shutil

import pytest

from retrieval import UsageError
from retrieval.building.planning import make_plan
from retrieval.images import FoundItem, Listing
from tests.retrieval.conftest import numbered
from tests.retrieval.files import write

from .test_planning import known
from .verified import build


@pytest.fixture
def photos(tmp_path):
    for number in range(3):
        write(tmp_path / f"photos/nas/2020/{number}.png", numbered(number))
    write(tmp_path / "photos/nas/bad.png", numbered(0)).write_bytes(b"bad")
    for number in (3, 4):
        write(tmp_path / f"photos/local/{number}.png", numbered(number))
    return tmp_path / "photos"


def paths(gallery):
    return sorted(hit.path for hit in gallery.search(text="red", k=99))


@pytest.mark.parametrize("empty", [True, False])
def test_a_disk_is_away_and_back(photos, model, empty):
    build(photos, model).close()
    (photos / "nas").rename(photos.parent / "disk")
    if empty:
        (photos / "nas").mkdir()
    for _ in range(2):
        with build(photos, model) as gallery:
            report = gallery.report
            assert (report.missing, report.unchanged) == (3, 2)
            assert report.missing_folders == ("nas",)
            assert paths(gallery) == ["local/3.png", "local/4.png"]
            about = gallery.describe()
            assert (about["items"], about["skipped"], about["missing"]) == (2, 0, 3)
            assert gallery.index.snapshot()["nas/2020/1.png"].missing_since is not None
    if empty:
        (photos / "nas").rmdir()
    (photos.parent / "disk").rename(photos / "nas")
    with build(photos, model) as gallery:
        assert model.batches == [] and gallery.report.missing == gallery.report.deleted == 0
        assert (gallery.report.unchanged, gallery.report.skipped) == (5, 1)
        assert len(paths(gallery)) == 5
        assert gallery.search(image=numbered(1), k=1)[0].path == "nas/2020/1.png"


def test_a_disk_that_comes_back_as_a_copy_is_not_embedded(photos, model):
    build(photos, model).close()
    shutil.move(photos / "nas", photos.parent / "disk")
    build(photos, model).close()
    shutil.copytree(photos.parent / "disk", photos / "nas")
    with build(photos, model) as gallery:
        assert model.batches == [] and len(paths(gallery)) == 5


def test_prune_deletes_what_is_away(photos, model):
    build(photos, model).close()
    (photos / "nas").rename(photos.parent / "disk")
    build(photos, model).close()
    with build(photos, model, prune=True) as gallery:
        assert (gallery.report.deleted, gallery.report.missing) == (3, 0)
        assert set(gallery.index.snapshot()) == {"local/3.png", "local/4.png"}


def test_the_disk_of_the_whole_gallery_is_away_and_back(photos, model):
    build(photos, model).close()
    photos.rename(photos.parent / "disk")
    photos.mkdir()
    with build(photos, model) as gallery:
        assert (gallery.report.deleted, gallery.report.missing) == (1, 5)
        assert gallery.report.missing_folders == ("",)
        assert paths(gallery) == []
    photos.rmdir()
    (photos.parent / "disk").rename(photos)
    with build(photos, model) as gallery:
        assert model.batches == []
        assert len(paths(gallery)) == 5


def test_prune_deletes_the_items_of_an_empty_gallery(photos, model):
    build(photos, model).close()
    photos.rename(photos.parent / "disk")
    photos.mkdir()
    with build(photos, model, prune=True) as gallery:
        assert (gallery.report.deleted, gallery.report.missing) == (6, 0)
        assert gallery.index.snapshot() == {}


def test_prune_makes_no_index_of_an_empty_folder(photos, model):
    photos.rename(photos.parent / "disk")
    photos.mkdir()
    with pytest.raises(UsageError, match="no images found"):
        build(photos, model, prune=True)


def test_files_that_are_deleted_one_by_one_are_deleted(photos, model):
    build(photos, model).close()
    (photos / "nas/2020/1.png").unlink()
    with build(photos, model) as gallery:
        assert (gallery.report.deleted, gallery.report.missing) == (1, 0)


def test_a_renamed_folder_is_moved_and_not_missing(photos, model):
    build(photos, model).close()
    (photos / "nas").rename(photos / "server")
    with build(photos, model) as gallery:
        assert (gallery.report.moved, gallery.report.missing) == (3, 0)
        assert model.batches == [] and "server/2020/1.png" in paths(gallery)


def test_files_of_a_missing_folder_are_recognised_elsewhere_later(photos, model):
    build(photos, model).close()
    (photos / "nas").rename(photos.parent / "disk")
    build(photos, model).close()
    shutil.copy(photos.parent / "disk/2020/1.png", photos / "local/1.png")
    with build(photos, model) as gallery:
        assert (gallery.report.moved, gallery.report.missing) == (1, 2)
        assert paths(gallery) == ["local/1.png", "local/3.png", "local/4.png"]


def test_the_uppermost_folder_without_items_is_named():
    listing = Listing(items=[FoundItem("a/b/1.jpg", 5, 7)])
    index = {path: known() for path in ("a/b/2.jpg", "a/c/d/3.jpg", "e/4.jpg", "5.jpg", "f.jpg/6")}
    plan = make_plan(listing, index)
    assert plan.away == {"a/c/d/3.jpg": "a/c", "e/4.jpg": "e", "f.jpg/6": "f.jpg"}
