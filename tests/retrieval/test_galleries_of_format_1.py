"""A gallery whose index has the old format is searched, brought up to date, and extended."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from retrieval import Gallery
from tests.indexes.make_format_1 import make_photos

from .conftest import numbered
from .fake_model import FakeModel, three_spaces
from .files import write

STORED = Path(__file__).parents[1] / "fixtures" / "index_format_1"


@pytest.fixture
def old(tmp_path):
    make_photos(tmp_path / "photos")
    return Path(shutil.copytree(STORED, tmp_path / "old.index"))


def format_of(folder):
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return version


def test_it_is_searched_as_it_is(old):
    with Gallery.open(old, FakeModel()) as gallery:
        hits = gallery.search(image=numbered(3), modalities="image", spaces="layout")
        assert hits[0].path == "3.bmp" and hits[0].score == pytest.approx(1, abs=1e-5)
        assert len(gallery.search(text="red", k=99)) == 6
    assert format_of(old) == 1


def test_an_update_reads_nothing_again_and_brings_it_to_the_new_format(old, tmp_path):
    model = FakeModel()
    with Gallery.build(tmp_path / "photos", old, model) as gallery:
        assert (gallery.report.unchanged, gallery.report.skipped) == (6, 1)
        assert model.batches == [] and gallery.root == tmp_path / "photos"
    assert format_of(old) == 3  # the folder had moved, which was written down
    write(tmp_path / "photos/new.png", numbered(50))
    with Gallery.build(tmp_path / "photos", old, model) as gallery:
        assert (gallery.report.unchanged, gallery.report.indexed) == (6, 1)
        gallery.index.verify()


def test_it_takes_in_spaces_and_galleries(old, tmp_path):
    model = FakeModel(spaces=three_spaces())
    with Gallery.build(tmp_path / "photos", old, model, spaces="all") as gallery:
        assert gallery.report.completed == 6
    (tmp_path / "c.txt").write_text("the red\n")
    with Gallery.build(tmp_path / "c.txt", old, model, modality="text") as gallery:
        gallery.index.verify()
        hits = gallery.search(image=numbered(3), spaces="all", k=99)
        assert len(hits) == 7 and hits[0].path == "3.bmp" and len(hits[0].scores) == 3
