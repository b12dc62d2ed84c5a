"""Pipes, devices and links where files are expected: nothing waits, nothing fills the memory."""

import os

import pytest

from fourm import CheckpointError, load_model
from fourm.regular_files import read_regular
from indexes import Index, UnsafeIndex
from retrieval import Gallery, ItemError, QueryError, RetrievalError, UsageError, read_queries
from retrieval.images import read_file
from retrieval.images import reading as reading_room
from retrieval.inputs.images import open_image
from retrieval.loading import NOTE, _noted_folder, _read_note
from tests.retrieval.conftest import numbered
from tests.retrieval.fake_model import FakeModel
from tests.retrieval.files import write


def special(path, kind):
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    return path


KINDS = pytest.mark.parametrize("kind", ["pipe", "zero", "folder"])


@KINDS
def test_a_file_is_read_only_if_it_is_regular(kind, tmp_path):
    path = special(tmp_path / "a.png", kind)
    with pytest.raises(ItemError):
        read_file(path)
    with pytest.raises(OSError):
        read_regular(path, 100)


def test_no_more_is_read_than_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(reading_room, "MAX_FILE_BYTES", 10)
    (tmp_path / "a").write_bytes(b"x" * 11)
    with pytest.raises(ItemError, match="file too large"):
        read_file(tmp_path / "a")
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_regular(tmp_path / "a", 10)


@KINDS
def test_an_image_of_a_gallery_that_became_something_else(kind, tmp_path):
    for number in range(3):
        write(tmp_path / f"photos/{number}.png", numbered(number))
    with Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel()) as gallery:
        hit = gallery.search(text="red")[0]
        special(tmp_path / "photos" / hit.path, kind)
        with pytest.raises(ItemError):
            gallery.read(hit)
    with Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel()) as gallery:
        assert gallery.index.counts().indexed == 2


def test_a_device_as_query_is_refused():
    with pytest.raises(QueryError, match="is a device"):
        open_image("/dev/zero")
    with pytest.raises(UsageError):
        read_queries("/dev/zero")


@KINDS
def test_a_note_of_an_index_that_is_no_file(kind, tmp_path):
    special(tmp_path / NOTE, kind)
    assert _noted_folder(tmp_path) is None
    with pytest.raises(RetrievalError, match="cannot be read"):
        _read_note(tmp_path)


@KINDS
def test_vectors_that_are_no_file_are_read_from_the_catalogue(kind, filled, make_vector):
    filled.publish()
    special(filled.folder / "vectors-1.faiss", kind)
    with Index.open(filled.folder) as index:
        assert index.search(make_vector(3)[None], 1).ids.tolist() == [[4]]


@pytest.mark.parametrize("kind", ["pipe", "zero", "folder"])
@pytest.mark.parametrize("name", ["catalogue.sqlite3-journal", "write.lock"])
def test_a_journal_or_a_lock_that_is_no_file(kind, name, filled, make_record):
    special(filled.folder / name, kind)
    with pytest.raises(UnsafeIndex):
        filled.write([make_record(40)])


@KINDS
@pytest.mark.parametrize("name", ["bundle.json", "model.safetensors", "config.json"])
def test_a_model_of_special_files(kind, name, tmp_path):
    special(tmp_path / name, kind)
    with pytest.raises(CheckpointError):
        load_model(str(tmp_path))


@KINDS
def test_a_file_of_patterns_is_regular(kind, tmp_path):
    write(tmp_path / "photos/a.png", numbered(1))
    special(tmp_path / "photos/.fourmignore", kind)
    with pytest.raises(UsageError, match=r"\.fourmignore: cannot be read \(not a regular file\)"):
        Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel())
    assert not (tmp_path / "i").exists()


def test_a_file_of_patterns_is_not_cut(tmp_path):
    write(tmp_path / "photos/a.png", numbered(1))
    (tmp_path / "photos/.fourmignore").write_text("#" * (1 << 20) + "\na.png\n")
    with pytest.raises(UsageError, match="larger than 1048576 bytes"):
        Gallery.build(tmp_path / "photos", tmp_path / "i", FakeModel())
