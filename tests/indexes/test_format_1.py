"""An index of format 1 is opened and searched as it is; the first write upgrades it in place."""

import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest

from indexes import (
    FileInfo,
    FolderTaken,
    Index,
    Reading,
    ReadOnlyIndex,
    Recipe,
    Record,
    UnknownItem,
)
from tests.processes import run_python
from tests.retrieval.conftest import numbered
from tests.retrieval.fake_model import FakeModel

from .conftest import unit_vector

STORED = Path(__file__).parents[1] / "fixtures" / "index_format_1"
CLIP = Recipe(model="fake", fingerprint="f00d", space="clip", dim=8, preprocessing="none")


@pytest.fixture
def old(tmp_path):
    return Path(shutil.copytree(STORED, tmp_path / "old.index"))


def layout(number):
    model = FakeModel()
    return model.embed([model.prepare({"image": numbered(number)})], space="layout")


def contents(folder):
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


def format_of(folder):
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return version


def answers(index):
    assert index.counts().indexed == 6 and index.counts().skipped == 1
    for number in range(6):
        scores, ids, *_ = index.search(layout(number), 99)
        assert ids.shape == (1, 6) and ids[0, 0] == index.snapshot()[f"{number}.bmp"].id
        assert scores[0, 0] == pytest.approx(1, abs=1e-5)
    assert [picture.path for picture in index.skipped()] == ["bad.jpg"]
    assert index.recipe.encoder == "model" and list(index.recipes) == ["layout"]
    assert index.readings == {"image": Reading("image")} and index.root == Path("/photos")
    index.verify()


def test_it_is_read_and_not_rewritten(old):
    before = contents(old)
    with Index.open(old) as index:
        answers(index)
        assert index.without_vectors() == {} and index.mark_complete() == {}
        index.publish()
    (old / "write.lock").unlink()
    assert contents(old) == before


def test_it_is_read_in_a_folder_that_cannot_be_written(old):
    if sys.platform == "win32":
        pytest.skip("no read-only folders on Windows")
    import faiss  # noqa: F401

    modes = {path: path.stat().st_mode for path in [old, *old.iterdir()]}
    parents = [parent for parent in old.parents if parent.stat().st_uid == os.geteuid()]
    closed = {parent: parent.stat().st_mode for parent in parents if "pytest" in str(parent)}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in closed:
        parent.chmod(0o755)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with Index.open(old) as index:
            answers(index)
            with pytest.raises(ReadOnlyIndex):
                index.delete(["0.bmp"])
            answers(index)
    finally:
        os.seteuid(user)
        for path, mode in {**modes, **closed}.items():
            path.chmod(mode)
    assert format_of(old) == 1


def _columns(folder):
    connection = sqlite3.connect(folder / "catalogue.sqlite3")
    tables = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    found = {
        table: connection.execute(f"PRAGMA table_info({table})").fetchall() for table in tables
    }
    indices = {
        table: sorted(row[1:4] for row in connection.execute(f"PRAGMA index_list({table})"))
        for table in tables
    }
    connection.close()
    return found, indices


def test_the_first_write_gives_it_the_current_schema(old, tmp_path):
    with Index.open(old) as index:
        index.write([Record(path="new.bmp", size=1, mtime_ns=1, error="zero bytes")])
        assert format_of(old) == 3
        index.delete(["new.bmp"])
        answers(index)
        Index.create(tmp_path / "new", root="/photos", recipe=index.recipe).close()
    assert _columns(old) == _columns(tmp_path / "new")
    with Index.open(old) as index:
        answers(index)


def test_spaces_and_galleries_can_be_added_after_the_upgrade(old):
    with Index.open(old) as index:
        index.add_space(CLIP)
        index.add_gallery(Reading("depth", "depth_near=low"), "/maps")
        assert len(index.without_vectors()) == 6
        index.add_vectors({f"{n}.bmp": {"clip": unit_vector(n, 8)} for n in range(6)})
        assert index.mark_complete() == {}
        found = index.search_fused(
            {"layout": layout(3), "clip": unit_vector(3, 8)[None]}, 1, modalities=["image"]
        )
        assert found.ids.tolist() == [[index.snapshot()["3.bmp"].id]]
        index.publish()
        index.verify()


def test_another_open_index_still_works_after_the_upgrade(old):
    with Index.open(old) as reader, Index.open(old) as writer:
        answers(reader)
        writer.delete(["bad.jpg"])
        writer.write([Record(path="bad.jpg", size=3, mtime_ns=1, error="not an image")])
        assert format_of(old) == 3
        answers(reader)
        reader.write([Record(path="bad.jpg", size=3, mtime_ns=2, error="not an image")])
        answers(reader)


def test_a_write_that_is_refused_leaves_the_old_format_as_it_was(old):
    before = contents(old)
    with Index.open(old) as index:
        with pytest.raises(FolderTaken):
            index.add_gallery(Reading("image"), "/other")
        with pytest.raises(UnknownItem):
            index.update_files([FileInfo(path="nowhere.bmp", size=1, mtime_ns=1)])
        answers(index)
    (old / "write.lock").unlink()
    assert contents(old) == before


UPGRADER = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from indexes import Index

folder, moment = sys.argv[1:]

@event.listens_for(Engine, "before_cursor_execute")
def statement(connection, cursor, text, *rest):
    if moment in text:
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "commit")
def commit(connection):
    if moment == "commit":
        os.kill(os.getpid(), signal.SIGKILL)

with Index.open(folder) as index:
    index.delete(["bad.jpg"])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize(
    "moment",
    [
        "ADD COLUMN reader",
        "ADD COLUMN encoder",
        "CREATE UNIQUE INDEX",
        "CREATE TABLE coverage",
        "INSERT INTO coverage",
        "ADD COLUMN inode",
        "user_version = 3",
        "DELETE FROM pictures",
        "commit",
    ],
)
def test_an_upgrade_that_is_killed_has_not_happened(old, moment):
    done = run_python(UPGRADER, os.fspath(old), moment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with Index.open(old) as index:
        answers(index)
        assert format_of(old) == 1
        index.delete(["0.bmp"])
        index.verify()
        assert np.array_equal(index.search(layout(1), 1)[1], [[index.snapshot()["1.bmp"].id]])
    assert format_of(old) == 3
