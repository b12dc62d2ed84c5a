"""An index can be pickled, and used in forked and spawned children, which open it again."""

import multiprocessing
import os
import pickle

import pytest

from indexes import (
    ClosedIndex,
    DamagedIndex,
    Index,
    IndexBusy,
    IndexesError,
    NewerFormat,
    ReplacedIndex,
)
from tests.processes import TIMEOUT, run_python

from .conftest import indexed, unit_vector

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


def nearest(index, number):
    return index.search(unit_vector(number)[None], 1).ids.tolist()


def test_a_pickled_index_is_opened_again(filled, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with Index.open(folder.name) as relative:
        content = pickle.dumps(relative)
    monkeypatch.chdir("/")
    with pickle.loads(content) as opened:
        assert opened.folder == folder
        assert nearest(opened, 3) == [[4]]
        filled.delete(["album/3.jpg"])
        assert nearest(opened, 3) != [[4]]


@pytest.mark.parametrize(
    "error",
    [
        IndexesError("reason"),
        IndexBusy("folder"),
        DamagedIndex("folder", "cause"),
        NewerFormat("folder", 3, 2),
        ReplacedIndex("folder", True),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_can_be_pickled(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_closed_index_is_refused(filled):
    filled.close()
    filled.close()
    for attempt in (lambda: nearest(filled, 3), filled.snapshot, lambda: filled.delete(["a"])):
        with pytest.raises(ClosedIndex, match="closed; open it again"):
            attempt()


def search_and_write(index, number, answers):
    index.write([indexed(number)])
    answers.put((number, nearest(index, 3), nearest(index, number)))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_children_search_and_write(filled, method):
    nearest(filled, 3)
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    child = context.Process(target=search_and_write, args=(filled, 30, answers))
    child.start()
    try:
        assert answers.get(timeout=TIMEOUT) == (30, [[4]], [[21]])
        child.join(TIMEOUT)
        assert child.exitcode == 0
    finally:
        child.kill()
    assert nearest(filled, 30) == [[21]]


# Whether a child ends with 0, within a time limit.
CHILD = """
import os, signal, sys, threading
import numpy.random  # now, since a fork would cut short an import in another thread
import numpy as np
from indexes import Index, IndexBusy, Record

def unit(seed):
    vector = np.random.default_rng(seed).standard_normal(16).astype(np.float32)
    return vector / np.linalg.norm(vector)

def nearest(index, number):
    return index.search(unit(number)[None], 1).ids.tolist()

def in_child(work):
    pid = os.fork()
    if not pid:
        signal.alarm(60)
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0

index = Index.open(sys.argv[1])
"""


def in_child_process(folder, code):
    # Without the settings that would keep the OpenMP runtime from starting threads.
    env = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = run_python(CHILD + code, os.fspath(folder), env=env)
    assert done.returncode == 0, done.stderr


@forks
def test_a_forked_child_searches_after_the_parent_has_used_threads(filled, folder):
    in_child_process(
        folder,
        """
import faiss
faiss.omp_set_num_threads(4)
many = np.stack([unit(number) for number in range(300)])
expected = index.search(many, 3).ids
def work():
    assert nearest(index, 3) == [[4]]
    assert np.array_equal(index.search(many, 3).ids, expected)
    found = index.search_fused({"dinov2": many}, 3, fusion="scores")
    assert np.array_equal(found.ids, expected)
    index.write([Record(path="new.jpg", size=1, mtime_ns=1, vectors={"dinov2": unit(99)})])
    assert nearest(index, 99) == [[21]]
    index.publish()
in_child(work)
assert nearest(index, 99) == [[21]]
""",
    )


@forks
def test_forks_while_other_threads_search_and_write(filled, folder, make_file_info):
    in_child_process(
        folder,
        """
done = threading.Event()
def search():
    while not done.is_set():
        index._vectors.clear()
        nearest(index, 3)
def write():
    while not done.is_set():
        index.update_files([make_file_info(3, mtime_ns=7)])
        index.write([Record(path="new.jpg", size=1, mtime_ns=1, vectors={"dinov2": unit(99)})])
threads = [threading.Thread(target=target) for target in (search, search, write)]
for thread in threads:
    thread.start()
try:
    for _ in range(10):
        in_child(lambda: [nearest(index, 3) == [[4]] or sys.exit(1) for _ in range(5)])
finally:
    done.set()
index.verify()
""",
    )


@forks
def test_a_lock_that_the_parent_holds_is_not_the_childs(filled, folder):
    in_child_process(
        folder,
        """
def refused():
    try:
        index.delete(["album/3.jpg"])
    except IndexBusy:
        return
    raise AssertionError("the child wrote")
with index.lock():
    in_child(refused)
    with Index.open(sys.argv[1]) as other:
        try:
            other.delete(["album/3.jpg"])
        except IndexBusy:
            pass
        else:
            raise AssertionError("the child released the lock of its parent")
    index.delete(["album/4.jpg"])
in_child(lambda: index.delete(["album/3.jpg"]))
assert index.counts().indexed == 18
""",
    )


@forks
def test_leaving_the_parents_lock_in_a_child_releases_nothing(filled, folder):
    in_child_process(
        folder,
        """
with index.lock():
    pid = os.fork()
if not pid:
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
""",
    )


@forks
def test_a_child_that_closes_its_index_leaves_that_of_the_parent_open(filled, folder):
    in_child_process(
        folder,
        """
in_child(index.close)
index.write([Record(path="new.jpg", size=1, mtime_ns=1, vectors={"dinov2": unit(99)})])
assert nearest(index, 99) == [[21]]
index.verify()
""",
    )
