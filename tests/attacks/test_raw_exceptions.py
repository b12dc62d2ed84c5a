"""Whatever an index holds, and wherever it lies, only errors of `indexes` come out."""

import os
import shutil
import sqlite3

import numpy as np
import pytest

from indexes import Index, IndexesError, StorageFailed
from indexes.nearest import Nearest

WEIRD = [None, "x", b"\xff\x00", float("inf"), 2**62]
TABLES = {
    "galleries": "id kind root options reader exclude",
    "spaces": "id name model fingerprint dim preprocessing generation encoder",
    "pictures": "id gallery_id path size mtime_ns content_hash width height exif_date "
    "exif_orientation state error ctime_ns inode pixel_hash frames missing_since",
    "vectors": "space_id picture_id vector",
    "coverage": "space_id gallery_id",
    "published": "space_id generation size sha256",
    "identity": "index_id",
}
COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns.split()]


@pytest.fixture
def loose(filled):
    """An index whose tables lack their constraints, and so may hold anything."""
    filled.publish()
    filled.close()
    connection = sqlite3.connect(filled.folder / "catalogue.sqlite3")
    connection.execute("PRAGMA foreign_keys = OFF")
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for (table,) in tables:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        listed = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f"ALTER TABLE {table} RENAME TO old")
        connection.execute(f"CREATE TABLE {table} ({listed})")
        connection.execute(f"INSERT INTO {table} SELECT * FROM old")
        connection.execute("DROP TABLE old")
    connection.commit()
    connection.close()
    return filled.folder


def exercise(folder, vector):
    """Everything that reads; only errors of this package may come out."""
    try:
        index = Index.open(folder)
    except IndexesError:
        return
    with index:
        for action in (
            lambda: index.search(vector[None], 3),
            lambda: index.search_fused({"dinov2": vector[None]}, 3),
            index.snapshot,
            index.skipped,
            index.counts,
            index.incomplete,
            index.without_vectors,
            lambda: index.items([1, 2]),
            lambda: index.vectors([1, 2]),
            lambda: (index.roots, index.readings, index.recipe),
            index.verify,
            index.publish,
        ):
            try:
                action()
            except IndexesError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: value)
def test_values_of_another_type_or_range(table, column, loose, make_vector, tmp_path):
    for number, value in enumerate(WEIRD):
        copy = tmp_path / f"{number}.index"
        shutil.copytree(loose, copy)
        connection = sqlite3.connect(copy / "catalogue.sqlite3")
        connection.execute(f'UPDATE {table} SET "{column}" = ?', (value,))
        connection.execute("UPDATE spaces SET generation = generation + 1")
        connection.commit()
        connection.close()
        exercise(copy, make_vector(1))
        shutil.rmtree(copy)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_names_that_no_file_can_have(name, tmp_path, recipe):
    with pytest.raises(IndexesError):
        Index.open(name)
    with pytest.raises(IndexesError):
        Index.create(name, root=tmp_path, recipe=recipe)


def test_a_folder_below_a_file(tmp_path, recipe):
    (tmp_path / "file").write_text("x")
    with pytest.raises(IndexesError):
        Index.open(tmp_path / "file/i")
    with pytest.raises(IndexesError):
        Index.create(tmp_path / "file/i", root=tmp_path, recipe=recipe)


def test_a_leftover_that_cannot_be_removed(tmp_path, recipe):
    (tmp_path / "i/catalogue.sqlite3.partial/inner").mkdir(parents=True)
    with pytest.raises(IndexesError):
        Index.create(tmp_path / "i", root=tmp_path, recipe=recipe)
    assert not (tmp_path / "i/catalogue.sqlite3").exists()


def test_a_folder_that_may_not_be_entered(read_only):
    user = os.geteuid()
    os.seteuid(0) if os.getuid() == 0 else None
    read_only.chmod(0o600)
    os.seteuid(user)
    with pytest.raises(IndexesError):
        Index.open(read_only)


def test_a_lack_of_memory_is_named(filled, make_vector, monkeypatch):
    """FAISS raises MemoryError for std::bad_alloc."""

    def fails(*given, **options):
        raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(Nearest, "search", fails)
    with pytest.raises(IndexesError, match="not enough memory"):
        filled.search(make_vector(1)[None], 3)


@pytest.mark.parametrize("kind", ["Flat", "IDMap2,HNSW8", "IDMap,Flat", "IDMap2,SQ8", "huge"])
def test_a_faiss_file_of_another_kind_is_not_used(kind, filled, make_vector, monkeypatch):
    """One that the catalogue vouches for, since both come from somebody else."""
    import faiss

    file = filled.folder / "vectors-1.faiss"
    filled.publish()
    if kind == "huge":
        content = bytearray(file.read_bytes())
        content[74:82] = (2**39).to_bytes(8, "little")
        content[8:16] = content[45:53] = (2**39).to_bytes(8, "little")
        file.write_bytes(content)
    else:
        other = faiss.index_factory(16, kind, faiss.METRIC_INNER_PRODUCT)
        vectors = np.stack([make_vector(number) for number in range(20)])
        other.train(vectors)
        if "IDMap" in kind:
            other.add_with_ids(vectors, np.arange(1, 21))
        else:
            other.add(vectors)
        faiss.write_index(other, str(file))
    import hashlib

    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    connection = sqlite3.connect(filled.folder / "catalogue.sqlite3")
    connection.execute("UPDATE published SET size = ?, sha256 = ?", (file.stat().st_size, digest))
    connection.commit()
    connection.close()
    with Index.open(filled.folder) as index:
        query = make_vector(4)[None]
        assert index.search(query, 1).ids.tolist() == [[5]]
        assert index.search_fused({"dinov2": query}, 1).ids.tolist() == [[5]]
    assert issubclass(StorageFailed, IndexesError) and monkeypatch is not None
