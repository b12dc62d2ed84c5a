"""A gallery that was moved or copied, while its old folder still exists."""

import shutil

import pytest

from indexes import Index
from retrieval import Gallery, UsageError


@pytest.fixture
def copied(photos, model, tmp_path):
    Gallery.build(photos, tmp_path / "index", model).close()
    return shutil.copytree(photos, tmp_path / "copy", copy_function=shutil.copy)


def test_the_error_names_the_option(copied, photos, model, tmp_path):
    with pytest.raises(
        UsageError, match=r"photos, got .*copy, and the old .* exists.* add --moved"
    ):
        Gallery.build(copied, tmp_path / "index", model)


def test_it_is_moved_without_embedding(copied, model, tmp_path):
    model.batches.clear()
    with Gallery.build(copied, tmp_path / "index", model, moved=True) as gallery:
        assert gallery.report.unchanged == 40 and model.batches == []
        assert gallery.root == copied


def test_a_copy_with_new_times_needs_the_option_even_if_the_old_folder_is_gone(
    copied, photos, model, tmp_path
):
    shutil.rmtree(photos)
    with pytest.raises(UsageError, match=r"photos, got .*copy\. If .*add --moved"):
        Gallery.build(copied, tmp_path / "index", model)
    Gallery.build(copied, tmp_path / "index", model, moved=True).close()


def test_a_folder_without_any_of_its_files_is_refused(copied, model, tmp_path):
    (tmp_path / "other").mkdir()
    shutil.copy(copied / "a/01.bmp", tmp_path / "other/new.bmp")
    with pytest.raises(UsageError, match="none of the 40 files"):
        Gallery.build(tmp_path / "other", tmp_path / "index", model, moved=True)
    with Index.open(tmp_path / "index") as index:
        assert index.counts().indexed == 40 and index.root != tmp_path / "other"
