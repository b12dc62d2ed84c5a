"""An index does not choose what is downloaded, nor which lines of which files are printed."""

import hashlib
import json
import sqlite3

import pytest

import fourm
from retrieval import Gallery, ItemError
from retrieval.errors import ModelUnavailable
from retrieval.loading import NOTE, _chosen, _noted_folder
from tests.retrieval.fake_model import FakeModel


@pytest.fixture
def asked(monkeypatch):
    """What was asked of the hub."""
    names = []

    def load_model(name, **options):
        names.append(name)
        return FakeModel(name=name)

    def download(name, *given, **options):
        names.append(name)
        raise AssertionError("the network was used")

    monkeypatch.setitem(vars(fourm), "load_model", load_model)
    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    return names


@pytest.fixture
def texts(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.txt").write_text("the red\nthe blue\n")
    with Gallery.build(
        tmp_path / "texts", tmp_path / "i", FakeModel(name="evil/model"), modality="text"
    ):
        pass
    return tmp_path / "i"


def changed(index, statement, *values):
    connection = sqlite3.connect(index / "catalogue.sqlite3")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_a_model_that_an_index_names_is_not_downloaded(texts, asked):
    with (
        Gallery.open(texts) as gallery,
        pytest.raises(ModelUnavailable, match="--model evil/model"),
    ):
        gallery.search(text="red")
    assert asked == []
    with Gallery.open(texts, "evil/model") as gallery:
        gallery.search(text="red")
    assert asked == ["evil/model"]


def test_a_note_does_not_name_a_model_to_download(texts, asked):
    (texts / NOTE).write_text(json.dumps({"model": "evil/other"}))
    assert _noted_folder(texts) is None
    with Gallery.open(texts) as gallery, pytest.raises(ModelUnavailable):
        gallery.search(text="red")
    assert asked == []


def test_a_note_does_not_name_a_teacher_to_download(texts, asked):
    changed(texts, "UPDATE spaces SET encoder = 'clip-b16'")
    note = {"model": "mini", "teachers": {"clip-b16": "evil/clip"}, "clip_pixels": "imagenet"}
    (texts / NOTE).write_text(json.dumps(note))
    with pytest.raises(ModelUnavailable, match="--teacher clip-b16=evil/clip"):
        Gallery.open(texts)
    assert asked == []
    assert _chosen is not None


def test_the_lines_of_any_file_are_not_read(texts, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    for name in ("passwd", "diary.txt"):
        (secret / name).write_text("the secret\n")
        changed(texts, "UPDATE galleries SET root = ?", str(secret))
        changed(texts, "DELETE FROM pictures WHERE id > 1")
        changed(texts, "UPDATE pictures SET path = ?", f"{name}:1")
        with Gallery.open(texts, FakeModel(name="evil/model")) as gallery:
            (hit,) = gallery.search(text="red", k=1)
            with pytest.raises(ItemError) as error:
                gallery.read(hit)
            assert "secret" not in str(error.value)


def test_a_line_is_read_while_it_is_the_one_that_was_indexed(texts, tmp_path):
    with Gallery.open(texts, FakeModel(name="evil/model")) as gallery:
        (hit,) = gallery.search(text="red", k=1)
        assert gallery.read(hit).value == "the red"
        digest = gallery.index.items([hit.id])[hit.id].content_hash
        assert digest == hashlib.sha256(b"the red").hexdigest()
        (tmp_path / "texts/a.txt").write_text("the green\nthe blue\n")
        with pytest.raises(ItemError, match="has changed since it was indexed"):
            gallery.read(hit)
