"""One writer at a time; its lock ends with its process, however that ends."""

import os
import signal

import pytest

from indexes import Index, IndexBusy
from tests.processes import TIMEOUT, started_python

HOLDER = """
import sys
from indexes import Index
with Index.open(sys.argv[1]) as index, index.lock():
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_writer(filled):
    with started_python(HOLDER, os.fspath(filled.folder)) as process:
        assert process.stdout.readline() == "locked\n"
        yield process


def test_a_second_process_is_refused_but_may_search(filled, other_writer, make_record):
    for attempt in (
        lambda: filled.write([make_record(30)]),
        lambda: filled.delete(["album/3.jpg"]),
        filled.publish,
        lambda: filled.lock().__enter__(),
    ):
        with pytest.raises(IndexBusy, match="another process is writing"):
            attempt()
    assert filled.search(make_record(3).vectors["dinov2"][None], k=1)[1][0, 0] == 4


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_the_lock_is_released_when_its_process_is_killed(filled, other_writer, make_record):
    other_writer.send_signal(signal.SIGKILL)
    other_writer.wait(TIMEOUT)
    filled.write([make_record(30)])
    assert filled.counts().indexed == 21


def test_a_second_opening_in_the_same_process_is_refused_too(filled, make_record):
    with Index.open(filled.folder) as other:
        with filled.lock():
            with pytest.raises(IndexBusy):
                other.write([make_record(30)])
            filled.write([make_record(31)])
        other.write([make_record(30)])
    assert filled.counts().indexed == 22


def test_the_lock_is_held_between_the_writes_of_a_block(filled, make_record):
    with Index.open(filled.folder) as other, filled.lock():
        filled.write([make_record(30)])
        filled.publish()
        with pytest.raises(IndexBusy):
            other.delete(["album/3.jpg"])


def test_a_write_that_fails_releases_the_lock(filled, make_record):
    with pytest.raises(Exception, match="no item"):
        filled.rename({"nowhere": "somewhere"})
    with Index.open(filled.folder) as other:
        other.write([make_record(30)])
