"""The FAISS file is a cache: if it is missing, stale or damaged, the catalogue is used."""

import shutil
import tracemalloc

import faiss
import numpy as np
import pytest

import indexes.index
import indexes.queries
from indexes import Index

FILE = "vectors-1.faiss"


@pytest.fixture
def published(filled, folder):
    filled.publish()
    return folder / FILE


@pytest.fixture
def rebuilds(monkeypatch):
    """How often vectors were read from the catalogue."""
    calls = []
    original = indexes.queries.vector_chunks

    def counted(*arguments):
        calls.append(1)
        return original(*arguments)

    monkeypatch.setattr(indexes.queries, "vector_chunks", counted)
    return calls


def _answers(folder, make_vector):
    with Index.open(folder) as index:
        scores, ids, *_ = index.search(make_vector(3)[None], k=3)
        assert ids[0, 0] == index.snapshot()["album/3.jpg"].id
        assert scores[0, 0] == pytest.approx(1.0, abs=1e-6)
        assert index.search(make_vector(3)[None], k=99)[1].shape[1] == index.counts().indexed


def test_it_is_a_plain_faiss_file_with_the_ids_of_the_items(published, make_vector):
    index = faiss.read_index(str(published))
    assert isinstance(index, faiss.IndexIDMap2)
    assert index.metric_type == faiss.METRIC_INNER_PRODUCT
    assert faiss.vector_to_array(index.id_map).tolist() == list(range(1, 21))
    np.testing.assert_array_equal(index.reconstruct(4), make_vector(3))


def test_a_sound_file_is_used(published, folder, make_vector, rebuilds):
    _answers(folder, make_vector)
    assert rebuilds == []


def _garbage_of_the_same_size(file):
    file.write_bytes(np.random.default_rng(0).bytes(file.stat().st_size))


def _one_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def _huge_count(file):
    content = bytearray(file.read_bytes())
    content[8:16] = (2**60).to_bytes(8, "little")
    file.write_bytes(content)


DAMAGE = {
    "missing": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"more"),
    "garbage": _garbage_of_the_same_size,
    "short garbage": lambda file: file.write_bytes(b"\xff" * 50),
    "one bit": _one_bit,
    "a huge count": _huge_count,
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_file_is_rebuilt(how, published, folder, make_vector, rebuilds):
    DAMAGE[how](published)
    _answers(folder, make_vector)
    assert rebuilds == [1]
    if published.is_dir():
        shutil.rmtree(published)
    with Index.open(folder) as index:
        index.publish()
    rebuilds.clear()
    _answers(folder, make_vector)
    assert rebuilds == []


@pytest.mark.parametrize("change", ["write", "replace", "delete", "skip"])
def test_a_stale_file_is_not_used(
    change, published, filled, folder, make_record, make_vector, rebuilds
):
    if change == "write":
        filled.write([make_record(30)])
    elif change == "replace":
        filled.write([make_record(5, vector=make_vector(99))])
    elif change == "delete":
        filled.delete(["album/5.jpg"])
    else:
        filled.write([make_record(5, vector=None, error="gone bad")])
    _answers(folder, make_vector)
    assert rebuilds == [1]


def test_an_older_file_put_back_is_not_used(
    published, filled, folder, make_record, make_vector, rebuilds
):
    old = published.read_bytes()
    filled.write([make_record(5, vector=make_vector(99))])
    filled.publish()
    published.write_bytes(old)
    rebuilds.clear()
    _answers(folder, make_vector)
    assert rebuilds == [1]


def test_the_file_of_another_index_is_not_used(
    published, folder, tmp_path, recipe, make_record, make_vector, rebuilds
):
    with Index.create(tmp_path / "other", root=tmp_path, recipe=recipe) as other:
        other.write([make_record(number + 50) for number in range(20)])
        other.publish()
    shutil.copy(tmp_path / "other" / FILE, published)
    rebuilds.clear()
    _answers(folder, make_vector)
    assert rebuilds == [1]


def test_renaming_does_not_make_it_stale(
    published, filled, folder, make_vector, make_file_info, rebuilds
):
    filled.rename({"album/7.jpg": "album/77.jpg"})
    filled.update_files([make_file_info(8, mtime_ns=8)])
    _answers(folder, make_vector)
    assert rebuilds == []


def test_publishing_again_writes_nothing(published, filled):
    before = published.stat()
    filled.publish()
    after = published.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_failed_publish_is_named_and_leaves_the_old_file(
    published, filled, make_record, monkeypatch
):
    old = published.read_bytes()
    filled.write([make_record(30)])

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("indexes.nearest.os.replace", refuse)
    with pytest.raises(indexes.StorageFailed, match="No space left"):
        filled.publish()
    assert published.read_bytes() == old
    assert not list(published.parent.glob("*.partial"))
    assert filled.search(make_record(30).vectors["dinov2"][None], k=1)[1][0, 0] == 21


def test_rebuilding_holds_one_chunk_at_a_time(tmp_path, recipe, make_record, monkeypatch):
    import dataclasses

    wide = dataclasses.replace(recipe, dim=2048)
    monkeypatch.setattr(indexes.queries, "_CHUNK", 32)
    with Index.create(tmp_path / "wide", root=tmp_path, recipe=wide) as index:
        vector = np.zeros(2048, dtype=np.float32)
        vector[5] = 1.0
        for start in range(0, 2048, 64):
            index.write([make_record(start + number, vector=vector) for number in range(64)])
        index.search(vector[None], k=1)  # imports and first-use allocations
        index._vectors.clear()
        tracemalloc.start()
        index.search(vector[None], k=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    stored = 2048 * 2048 * 4
    # FAISS's own memory is not traced: this is what reading needs, blobs and arrays.
    assert peak < stored / 4
