"""An index of format 2 is opened and searched as it is; the first write upgrades it in place."""

import os
import shutil
import signal
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from indexes import Index, Reading, Record, UnknownItem
from tests.processes import run_python
from tests.retrieval.conftest import numbered

from .make_format_2 import NEEDS_JXL, two_spaces
from .test_format_1 import UPGRADER, _columns, contents, format_of

STORED = Path(__file__).parents[1] / "fixtures" / "index_format_2"
SINCE = datetime(2026, 1, 2, 3, 4, 5)


@pytest.fixture
def old(tmp_path):
    return Path(shutil.copytree(STORED, tmp_path / "old.index"))


def queries(number):
    model = two_spaces()
    return model.embed_spaces(
        [model.prepare({"image": numbered(number)})], spaces=list(model.spaces)
    )


def answers(index):
    assert index.counts().indexed == 6 and index.counts(modality="depth").indexed == 2
    for number in range(6):
        given = queries(number)
        found = index.search_fused(given, 99)
        assert found.ids.shape == (1, 8)
        for space, vector in given.items():
            best = index.search(vector, 1, space=space, modalities=["image"])
            assert best.items[int(best.ids[0, 0])].path == f"{number}.bmp"
    skipped = {item.path: item for item in index.skipped()}
    assert skipped["new.jxl"].error == NEEDS_JXL
    item = index.items([index.snapshot()["0.bmp"].id]).popitem()[1]
    assert (item.width, item.inode, item.frames, item.missing_since) == (32, None, None, None)
    assert index.readings["depth"] == Reading("depth", "depth_near=low")
    index.verify()


def test_it_is_read_and_not_rewritten(old):
    before = contents(old)
    with Index.open(old) as index:
        answers(index)
        assert index.index_id is None and index.mark_complete() == {}
        index.publish()
    (old / "write.lock").unlink()
    assert contents(old) == before


def test_the_first_write_gives_it_the_current_schema_and_an_id(old, tmp_path):
    with Index.open(old) as index:
        index.write([Record(path="bad.jpg", size=3, mtime_ns=1, error="zero bytes")])
        assert format_of(old) == 3
        answers(index)
        first = index.index_id
        index.write([Record(path="bad.jpg", size=3, mtime_ns=2, error="zero bytes")])
        assert index.index_id == first
        with Index.create(tmp_path / "new", root="/photos", recipe=index.recipe) as new:
            assert first and new.index_id and new.index_id != first
    assert _columns(old) == _columns(tmp_path / "new")
    with Index.open(old) as index:
        answers(index)
        assert index.index_id == first


def test_it_may_lack_the_table_of_precisions(old):
    connection = sqlite3.connect(old / "catalogue.sqlite3")
    connection.execute("DROP TABLE precisions")
    connection.commit()
    connection.close()
    with Index.open(old) as index:
        answers(index)
        index.delete(["bad.jpg"])
        assert index.recipe.precision is None
        index.verify()


def test_a_reader_opened_before_the_upgrade_sees_what_is_missing_since(old):
    with Index.open(old) as reader, Index.open(old) as writer:
        answers(reader)
        writer.set_missing(["3.bmp"], SINCE)
        assert reader.snapshot()["3.bmp"].missing_since == SINCE
        assert reader.search(queries(3)["layout"], 99)[1].shape == (1, 7)
        with pytest.raises(UnknownItem):
            reader.set_missing(["nowhere.bmp"], SINCE)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize(
    "moment",
    [
        "ADD COLUMN exclude",
        "ADD COLUMN missing_since",
        "CREATE TABLE part_vectors",
        "CREATE TABLE identity",
        "INSERT INTO identity",
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
        assert format_of(old) == 2
        index.delete(["bad.jpg"])
        answers(index)
    assert format_of(old) == 3
