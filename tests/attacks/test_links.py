"""Links that are planted where an index writes: no write follows one out of the folder."""

import os

import pytest

from indexes import Index, UnsafeIndex
from retrieval.loading import NOTE, _write_note

NAMES = ["vectors-1.faiss.partial", "vectors-1.faiss", "encoder.partial", ".encoder.json.partial"]


@pytest.fixture
def letter(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    return tmp_path / "letter.txt"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_replaced_and_not_followed(filled, letter, name, exists, tmp_path):
    target = letter if exists else tmp_path / "absent.txt"
    (filled.folder / name).symlink_to(target)
    filled.publish()
    _write_note(filled.folder, {"model": "somewhere"})
    assert letter.read_text() == "dear" and not (tmp_path / "absent.txt").exists()
    assert not (filled.folder / "vectors-1.faiss").is_symlink()
    assert not (filled.folder / NOTE).is_symlink()


def test_a_note_that_is_a_link_is_replaced(filled, letter):
    (filled.folder / NOTE).symlink_to(letter)
    _write_note(filled.folder, {"model": "somewhere"})
    assert letter.read_text() == "dear" and not (filled.folder / NOTE).is_symlink()


@pytest.mark.parametrize("exists", [True, False])
def test_the_lock_is_not_taken_through_a_link(filled, letter, exists, tmp_path, make_record):
    target = letter if exists else tmp_path / "absent.txt"
    (filled.folder / "write.lock").unlink()
    (filled.folder / "write.lock").symlink_to(target)
    with pytest.raises(UnsafeIndex, match=r"write\.lock is a link"):
        filled.write([make_record(30)])
    assert letter.read_text() == "dear" and not (tmp_path / "absent.txt").exists()
    assert filled.counts().indexed == 20


def test_a_new_index_is_not_made_through_links(recipe, letter, tmp_path):
    for name in ("catalogue.sqlite3.partial", "catalogue.sqlite3.partial-journal"):
        folder = tmp_path / f"new {name}"
        folder.mkdir()
        (folder / name).symlink_to(letter)
        with Index.create(folder, root=tmp_path, recipe=recipe) as index:
            assert index.counts().total == 0
        assert letter.read_text() == "dear"


def test_a_hard_link_is_not_written_into(filled, letter):
    os.link(letter, filled.folder / "vectors-1.faiss.partial")
    filled.publish()
    assert letter.read_text() == "dear"
