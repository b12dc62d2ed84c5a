import random
import threading
from contextlib import closing

import pytest

from retrieval.pipeline import prefetch


def test_results_come_in_order_whatever_the_threads_do():
    gates = {number: threading.Event() for number in range(6)}

    def work(number):
        if number in gates and number + 1 in gates:
            assert gates[number + 1].wait(10)  # each waits for its successor
        if number in gates:
            gates[number].set()
        return number * 10

    assert list(prefetch(work, range(6), workers=6, limit=6)) == [n * 10 for n in range(6)]


def test_no_more_waits_than_agreed():
    lock = threading.Lock()
    begun = taken = most = 0

    def work(number):
        nonlocal begun, most
        with lock:
            begun += 1
            most = max(most, begun - taken)
        return bytes(random.randrange(10))

    for _ in prefetch(work, range(500), workers=4, limit=7):
        with lock:
            taken += 1
    assert begun == taken == 500
    assert most <= 8  # seven waiting, one in the caller's hands


def test_items_are_asked_for_only_when_they_are_wanted():
    asked = []

    def source():
        for number in range(1000):
            asked.append(number)
            yield number

    with closing(prefetch(lambda x: x, source(), workers=2, limit=5)) as results:
        assert next(results) == 0
    assert len(asked) <= 6


def test_an_error_of_the_work_reaches_the_caller_in_its_turn():
    def work(number):
        if number == 3:
            raise RuntimeError("three")
        return number

    results = prefetch(work, range(10), workers=2, limit=4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="three"):
        next(results)
    assert not [t for t in threading.enumerate() if t.name.startswith("prepare")]
