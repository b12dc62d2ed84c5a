"""What is not a sound index of a supported format is refused with a named error."""

import dataclasses
import sqlite3

import pytest

from indexes import (
    DamagedIndex,
    FolderTaken,
    Index,
    IndexBusy,
    IndexesError,
    NewerFormat,
    NotAnIndex,
    RecipeMismatch,
    UnknownItem,
)

CATALOGUE = "catalogue.sqlite3"


def _edit(folder, statement):
    connection = sqlite3.connect(folder / CATALOGUE)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_no_such_folder(tmp_path):
    with pytest.raises(NotAnIndex, match="no such folder"):
        Index.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_file(tmp_path):
    (tmp_path / "photos.index").write_text("hello")
    with pytest.raises(NotAnIndex, match="this is a file"):
        Index.open(tmp_path / "photos.index")


def test_a_folder_of_something_else(tmp_path):
    (tmp_path / "dog.jpg").write_bytes(b"woof")
    with pytest.raises(NotAnIndex, match="not an index"):
        Index.open(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["dog.jpg"]


def test_a_missing_catalogue_beside_the_other_files(filled, folder):
    filled.publish()
    filled.close()
    (folder / CATALOGUE).unlink()
    with pytest.raises(NotAnIndex, match="cannot be recovered"):
        Index.open(folder)
    assert not (folder / CATALOGUE).exists()


def test_the_database_of_another_program(tmp_path):
    connection = sqlite3.connect(tmp_path / CATALOGUE)
    connection.execute("CREATE TABLE pictures (id INTEGER)")
    connection.commit()
    connection.close()
    with pytest.raises(NotAnIndex, match="another program"):
        Index.open(tmp_path)


def test_a_newer_format(filled, folder):
    filled.close()
    _edit(folder, "PRAGMA user_version = 4")
    with pytest.raises(NewerFormat, match=r"version 4.*up to 3.*newer") as caught:
        Index.open(folder)
    assert (caught.value.found, caught.value.supported) == (4, 3)


def test_an_impossible_format(filled, folder):
    filled.close()
    _edit(folder, "PRAGMA user_version = 0")
    with pytest.raises(DamagedIndex, match="version is 0"):
        Index.open(folder)


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"not a database, " * 1000])
def test_a_catalogue_that_is_not_a_database(content, filled, folder):
    filled.close()
    (folder / CATALOGUE).write_bytes(content)
    with pytest.raises((DamagedIndex, NotAnIndex), match=str(folder)):
        Index.open(folder)


@pytest.mark.parametrize("table", ["galleries", "spaces"])
def test_a_missing_table(table, filled, folder):
    filled.close()
    _edit(folder, f"DROP TABLE {table}")
    with pytest.raises(DamagedIndex, match=f"no such table: {table}"):
        Index.open(folder)


@pytest.mark.parametrize("table", ["galleries", "spaces"])
def test_an_emptied_table(table, filled, folder):
    filled.close()
    _edit(folder, f"DELETE FROM {table}")
    with pytest.raises(DamagedIndex, match=r"no (gallery|embedding space)"):
        Index.open(folder)


def test_an_impossible_dimension(filled, folder):
    filled.close()
    _edit(folder, "UPDATE spaces SET dim = 'many'")
    with pytest.raises(DamagedIndex, match="dim"):
        Index.open(folder)


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_catalogue_is_named_at_the_latest_when_it_is_read(
    keep, index, folder, make_record, make_vector
):
    index.write([make_record(number) for number in range(400)])
    index.close()
    whole = (folder / CATALOGUE).read_bytes()
    (folder / CATALOGUE).write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DamagedIndex, match="backup"), Index.open(folder) as opened:
        opened.verify()


@pytest.mark.parametrize("page", range(1, 40, 3))
def test_an_overwritten_page_never_escapes_as_another_error(page, index, folder, make_record):
    index.write([make_record(number) for number in range(300)])
    index.close()
    raw = bytearray((folder / CATALOGUE).read_bytes())
    assert len(raw) > page * 4096
    raw[page * 4096 : page * 4096 + 4096] = b"\xa5" * 4096
    (folder / CATALOGUE).write_bytes(raw)
    try:
        with Index.open(folder) as opened:
            opened.snapshot()
            opened.items(range(1, 301))
            opened.search(make_record(1).vectors["dinov2"][None], k=3)
            opened.verify()
    except IndexesError as error:
        assert isinstance(error, (DamagedIndex, UnknownItem))
    else:
        pytest.fail("the damage was not noticed")


@pytest.mark.parametrize(
    "blob", ["zeroblob(64)", "zeroblob(60)", "X'0000c07f' || zeroblob(60)", "'text'"]
)
def test_a_damaged_vector_is_not_searched(blob, filled, folder, make_vector):
    filled.close()
    _edit(folder, f"UPDATE vectors SET vector = CAST({blob} AS BLOB) WHERE picture_id = 4")
    with Index.open(folder) as opened:
        for attempt in (
            lambda: opened.search(make_vector(0)[None], k=1),
            lambda: opened.vectors([4]),
            opened.verify,
        ):
            with pytest.raises(DamagedIndex, match="stored vector"):
                attempt()
        assert opened.vectors([5]).shape == (1, 16)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM vectors WHERE picture_id = 4", "1 indexed items have no vector"),
        ("UPDATE pictures SET state='skipped', error='x' WHERE id=4", "1 skipped items have"),
        ("DELETE FROM pictures WHERE id = 4", "1 rows refer to rows that do not exist"),
    ],
)
def test_verify_finds_a_catalogue_that_contradicts_itself(statement, message, filled, folder):
    filled.verify()
    _edit(folder, statement)
    with pytest.raises(DamagedIndex, match=message):
        filled.verify()


def test_unreadable_values_are_damage(filled, folder):
    _edit(folder, "UPDATE pictures SET exif_date = 'yesterday' WHERE id = 4")
    with pytest.raises(DamagedIndex):
        filled.items([4])


def test_a_recipe_that_differs_is_refused_with_both_values(index, recipe):
    index.require(recipe)
    for name, value in {
        "model": "other",
        "fingerprint": "beef",
        "space": "clip",
        "dim": 8,
        "preprocessing": "something",
        "encoder": "dinov2-b14",
    }.items():
        other = dataclasses.replace(recipe, **{name: value})
        with pytest.raises(RecipeMismatch, match=r"Use the model.*or index the gallery") as caught:
            index.require(other)
        assert f"{name}: expected {getattr(recipe, name)!r}, got {value!r}" in str(caught.value)


def test_create_refuses_a_folder_that_is_in_use(filled, folder, recipe, tmp_path):
    with pytest.raises(FolderTaken, match="already"):
        Index.create(folder, root=tmp_path, recipe=recipe)
    assert filled.counts().indexed == 20

    other = tmp_path / "holiday"
    other.mkdir()
    (other / "dog.jpg").write_bytes(b"woof")
    with pytest.raises(FolderTaken, match=r"dog\.jpg"):
        Index.create(other, root=tmp_path, recipe=recipe)
    assert [entry.name for entry in other.iterdir()] == ["dog.jpg"]
    with pytest.raises(FolderTaken, match="file"):
        Index.create(other / "dog.jpg", root=tmp_path, recipe=recipe)


@pytest.mark.parametrize("name", ["a b?c#d%41.index", "naïve/ünïcode/日本", "caf\udce9.index"])
def test_odd_folder_names_work(name, tmp_path, recipe, make_record):
    try:
        Index.create(tmp_path / name, root=tmp_path, recipe=recipe).close()
    except UnicodeEncodeError:
        pytest.skip("this file system takes text only")
    with Index.open(tmp_path / name) as opened:
        opened.write([make_record(1)])
        opened.publish()
    with Index.open(tmp_path / name) as opened:
        assert opened.search(make_record(1).vectors["dinov2"][None], k=1)[1].tolist() == [[1]]
    assert (tmp_path / name / CATALOGUE).is_file()


def test_an_index_without_vectors_is_deleted_and_no_other(index, folder, make_record, tmp_path):
    index.write([make_record(1)])
    assert not index.delete_if_empty()
    assert index.counts().indexed == 1
    index.delete(["album/1.jpg"])
    index.publish()
    with Index.open(folder) as other, other.lock(), pytest.raises(IndexBusy):
        index.delete_if_empty()
    (folder / "notes.txt").write_text("mine")
    assert index.delete_if_empty()
    assert [entry.name for entry in folder.iterdir()] == ["notes.txt"]
    with Index.create(tmp_path / "second", root=tmp_path, recipe=index.recipe) as second:
        assert second.delete_if_empty()
    assert not (tmp_path / "second").exists()
