"""A process that is killed at any moment leaves an index that holds exactly what it committed."""

import os
import signal

import numpy as np
import pytest

from indexes import FolderTaken, Index, NotAnIndex
from tests.processes import run_python, started_python

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

# Writes batches 0, 1, 2 ... of five items in two spaces and publishes; in round 2 (the third) it
# kills itself at the moment that is named: a statement of the transaction, a call, or the commit.
BUILDER = """
import os, signal, sys
import numpy as np
from sqlalchemy import event
from sqlalchemy.engine import Engine
from indexes import Index, Recipe, Record
import indexes.nearest, indexes.database

folder, moment = sys.argv[1:]
armed = False

def die(*_, **__):
    if armed:
        os.kill(os.getpid(), signal.SIGKILL)

def before(function):
    def wrapped(*args, **kwargs):
        die()
        return function(*args, **kwargs)
    return wrapped

def after(function):
    def wrapped(*args, **kwargs):
        result = function(*args, **kwargs)
        die()
        return result
    return wrapped

@event.listens_for(Engine, "before_cursor_execute")
def statement(connection, cursor, text, *rest):
    if moment.startswith("before ") and moment[7:] in text:
        die()

@event.listens_for(Engine, "commit")
def commit(connection):
    if moment == "at commit":
        die()

if moment in ("before replace", "after replace"):
    wrap = before if moment == "before replace" else after
    os.replace = wrap(os.replace)
if moment in ("before fsync", "after fsync"):
    wrap = before if moment == "before fsync" else after
    os.fsync = wrap(os.fsync)
if moment == "create":
    armed = True
    os.replace = before(os.replace)

recipes = [
    Recipe(model="tiny", fingerprint="f00d", space=space, dim=16, preprocessing="none")
    for space in ("dinov2", "clip")
]
index = Index.create(folder, root="/photos", recipe=recipes)

def record(number, salt=0):
    vector = np.random.default_rng(number + salt).standard_normal(16).astype(np.float32)
    return Record(path=f"{number}.jpg", size=1, mtime_ns=1, content_hash=str(salt),
                  vectors={"dinov2": vector / np.linalg.norm(vector),
                           "clip": -vector / np.linalg.norm(vector)})

with index.lock():
    for batch in range(4):
        armed = batch == 2
        index.write([record(number) for number in range(5 * batch, 5 * batch + 5)])
        if moment == "between":
            die()
        index.write([record(0, salt=1000 + batch)])   # a changed file
        index.delete([f"{batch}.jpg"]) if batch else None
        index.publish()
        print(batch, flush=True)
"""

# Moment -> what must be there afterwards: (numbers of items, salt of item 0).
_TWO = set(range(10)) - {1}
_THREE = set(range(15)) - {1}
MOMENTS = {
    "before INTO pictures": (_TWO, 1001),
    "before INTO vectors": (_TWO, 1001),
    "before UPDATE spaces": (_TWO, 1001),
    "at commit": (_TWO, 1001),
    "between": (_THREE, 1001),
    "before DELETE FROM pictures": (_THREE, 1002),
    "before fsync": (_THREE - {2}, 1002),
    "after fsync": (_THREE - {2}, 1002),
    "before replace": (_THREE - {2}, 1002),
    "after replace": (_THREE - {2}, 1002),
    "before UPDATE published": (_THREE - {2}, 1002),
}


def _run(folder, moment):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = run_python(BUILDER, os.fspath(folder), moment, env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout


def _vector(seed):
    vector = np.random.default_rng(seed).standard_normal(16).astype(np.float32)
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_index_has_what_was_committed_and_nothing_else(moment, folder, make_record):
    assert _run(folder, moment) == "0\n1\n"
    numbers, salt = MOMENTS[moment]
    seeds = {f"{n}.jpg": n if n else salt for n in numbers}

    with Index.open(folder) as index:
        index.verify()
        known = index.snapshot()
        assert set(known) == set(seeds)
        ids = [known[path].id for path in seeds]
        expected = np.stack([_vector(seed) for seed in seeds.values()])
        for space, sign in (("dinov2", 1), ("clip", -1)):
            assert np.array_equal(index.vectors(ids, space=space), sign * expected)
            scores, found, *_ = index.search(sign * expected, k=1, space=space)
            assert found[:, 0].tolist() == ids
            np.testing.assert_allclose(scores[:, 0], 1.0, atol=1e-6)
        assert index.search(expected[:1], k=100)[1].shape == (1, len(ids))

        # and the work goes on from there
        index.write([make_record(500, vectors={"dinov2": _vector(1), "clip": _vector(2)})])
        index.publish()
        index.verify()
    with Index.open(folder) as index:
        assert index.counts().indexed == len(seeds) + 1


def test_killed_before_the_first_commit_leaves_a_folder_that_can_be_used(folder, recipe):
    assert _run(folder, "create") == ""
    assert [entry.name for entry in folder.glob("*.partial")]
    with pytest.raises(NotAnIndex):
        Index.open(folder)
    with Index.create(folder, root="/photos", recipe=recipe) as index:
        assert index.counts().total == 0
        assert not list(folder.glob("*.partial*"))
    with pytest.raises(FolderTaken):
        Index.create(folder, root="/photos", recipe=recipe)


def test_killed_while_writing(folder, recipe):
    script = BUILDER.replace("range(4)", "range(10**6)")
    finished = 0
    with started_python(script, os.fspath(folder), "never") as process:
        for line in process.stdout:
            finished = int(line)
            if finished >= 6:
                process.send_signal(signal.SIGKILL)
                break
        rest = process.stdout.read().split()
    finished = int(rest[-1]) if rest and rest[-1].isdigit() else finished
    with Index.open(folder) as index:
        index.verify()
        # Batches up to `finished` are whole; the next may be there as a whole, or not at all.
        present = {int(path.removesuffix(".jpg")) for path in index.snapshot()}
        last = max(present)
        assert last % 5 == 4
        assert 5 * finished + 4 <= last
        _, found, *_ = index.search(_vector(last)[None], k=1)
        assert found[0, 0] == index.snapshot()[f"{last}.jpg"].id
