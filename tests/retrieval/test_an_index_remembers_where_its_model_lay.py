"""A model that was given as a folder need not be given again."""

import json
import os

import pytest

from retrieval import Gallery
from retrieval.errors import ModelUnavailable
from retrieval.loading import NOTE
from tests.fourm.tiny_model import make_tiny_model

from .conftest import numbered
from .files import write


@pytest.fixture
def place(tmp_path, monkeypatch):
    make_tiny_model(tmp_path / "tiny")
    write(tmp_path / "photos/a.png", numbered(1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def index(place, model):
    with Gallery.build(place / "photos", place / "i", model, device="cpu", dtype="float32") as made:
        return made.index.folder


def test_it_is_found_from_anywhere(place, monkeypatch):
    index(place, "tiny")  # relative to where the command was run
    monkeypatch.chdir(place / "photos")
    with Gallery.open(place / "i", device="cpu", dtype="float32") as gallery:
        assert gallery.search(image=numbered(1))[0].path == "a.png"
    assert index(place, None) == place / "i"


def test_another_folder_of_the_same_model_is_remembered_instead(place):
    index(place, "tiny")
    (place / "tiny").rename(place / "moved")
    with pytest.raises(ModelUnavailable, match="--model"), Gallery.open(place / "i") as gallery:
        gallery.search(text="red")
    index(place, place / "moved")
    with Gallery.open(place / "i", device="cpu", dtype="float32") as gallery:
        assert gallery.search(text="red")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"model": 3}', '{"model": ["a"]}'])
def test_a_damaged_note_is_as_none(place, monkeypatch, text):
    folder = index(place, "tiny")
    monkeypatch.chdir(place / "photos")
    (folder / NOTE).write_text(text)
    with pytest.raises(ModelUnavailable, match="--model"), Gallery.open(folder) as gallery:
        gallery.search(text="red")


def test_nothing_is_noted_of_bundled_and_loaded_models(place, model):
    for number, given in enumerate(("mini", model)):
        to = place / f"index {number}"
        with Gallery.build(place / "photos", to, given):
            assert NOTE not in os.listdir(to)


def test_the_note_names_the_folder(place):
    assert json.loads((index(place, "tiny") / NOTE).read_text()) == {"model": str(place / "tiny")}
