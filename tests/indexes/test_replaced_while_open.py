"""An index that is deleted or replaced while it is open gives no wrong answer."""

import os
import shutil
import sys

import numpy as np
import pytest

from indexes import Index, ReplacedIndex

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be replaced")


def make(folder, recipe, make_record, first):
    with Index.create(folder, root="/photos", recipe=recipe) as index:
        index.write([make_record(number) for number in range(first, first + 10)])
        index.publish()
    return folder


def nearest(index, vector):
    found = index.search(vector[None], 1)
    return found.items[int(found.ids[0, 0])].path, float(found.scores[0, 0])


def test_a_deleted_index_is_named(filled, folder, make_vector):
    nearest(filled, make_vector(3))
    shutil.rmtree(folder)
    for act in (
        lambda: nearest(filled, make_vector(3)),
        lambda: filled.delete(["album/3.jpg"]),
        lambda: filled.counts(),
    ):
        with pytest.raises(ReplacedIndex, match="deleted while it was open"):
            act()
    assert not folder.exists()


def test_a_rebuilt_index_of_the_same_kind_is_followed(folder, recipe, make_record, make_vector):
    with Index.open(make(folder, recipe, make_record, 0)) as index:
        assert nearest(index, make_vector(3)) == ("album/3.jpg", pytest.approx(1, abs=1e-6))
        shutil.rmtree(folder)
        make(folder, recipe, make_record, 10)
        path, score = nearest(index, make_vector(13))
        assert (path, score) == ("album/13.jpg", pytest.approx(1, abs=1e-6))
        assert nearest(index, make_vector(3))[1] < 0.9
        stored = index.vectors([index.snapshot()["album/13.jpg"].id])
        assert np.array_equal(stored[0], make_vector(13))


def test_an_index_of_another_kind_in_its_place_is_refused(folder, recipe, make_record, make_vector):
    from dataclasses import replace

    with Index.open(make(folder, recipe, make_record, 0)) as index:
        nearest(index, make_vector(3))
        shutil.rmtree(folder)
        make(folder, replace(recipe, fingerprint="other"), make_record, 10)
        with pytest.raises(ReplacedIndex, match="taken the place"):
            nearest(index, make_vector(3))


def test_an_index_that_comes_back_after_another_one_answers_itself(
    folder, recipe, make_record, make_vector, tmp_path
):
    from dataclasses import replace

    other = make(tmp_path / "other", replace(recipe, fingerprint="other"), make_record, 10)
    with Index.open(make(folder, recipe, make_record, 0)) as index:
        folder.rename(tmp_path / "away")
        other.rename(folder)
        for _ in range(2):
            with pytest.raises(ReplacedIndex, match="taken the place"):
                nearest(index, make_vector(3))
        folder.rename(other)
        (tmp_path / "away").rename(folder)
        assert nearest(index, make_vector(3)) == ("album/3.jpg", pytest.approx(1, abs=1e-6))
        assert set(index.snapshot()) == {f"album/{number}.jpg" for number in range(10)}


@pytest.mark.parametrize("reading_first", [True, False])
def test_an_index_copied_over_the_open_file_is_noticed(
    reading_first, folder, recipe, make_record, make_vector, tmp_path
):
    other = make(tmp_path / "other", recipe, make_record, 10)
    with Index.open(make(folder, recipe, make_record, 0)) as index:
        assert nearest(index, make_vector(3))[0] == "album/3.jpg"
        inode = (folder / "catalogue.sqlite3").stat().st_ino
        for entry in other.iterdir():
            content = entry.read_bytes()
            with open(folder / entry.name, "r+b") as target:  # keeps the inode
                target.truncate()
                target.write(content)
        assert (folder / "catalogue.sqlite3").stat().st_ino == inode
        if not reading_first:
            with pytest.raises(ReplacedIndex):
                index.delete(["album/13.jpg"])
        path, score = nearest(index, make_vector(13))
        assert (path, score) == ("album/13.jpg", pytest.approx(1, abs=1e-6))


def test_a_backup_put_back_is_followed_by_readers_and_not_by_writers(
    filled, folder, make_record, make_vector, tmp_path
):
    backup = shutil.copytree(folder, tmp_path / "backup")
    filled.write([make_record(3, vector=make_vector(77))])
    assert nearest(filled, make_vector(77))[0] == "album/3.jpg"
    os.replace(backup / "catalogue.sqlite3", folder / "catalogue.sqlite3")
    with pytest.raises(ReplacedIndex):
        filled.delete(["album/3.jpg"])
    path, score = nearest(filled, make_vector(3))
    assert (path, score) == ("album/3.jpg", pytest.approx(1, abs=1e-6))
    filled.delete(["album/3.jpg"])
    assert filled.counts().indexed == 19
