"""Work done in advance by threads, with a bound on the results in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def default_workers() -> int:
    """One thread per core, at most 8: more would wait for the model."""
    return min(8, os.cpu_count() or 1)


def prefetch(
    function: Callable[[In], Out], items: Iterable[In], *, workers: int, limit: int
) -> Generator[Out, None, None]:
    """`map(function, items)`, computed in advance by `workers` threads.

    At most `limit` results are waiting or being computed at any time, whatever the number of
    items. If the caller closes the generator early, pending calls are cancelled.

    Raises:
        Exception: what `function` raised, when its result is due.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prepare")
    try:
        pending: deque[Future[Out]] = deque(
            pool.submit(function, item) for item in islice(source, limit)
        )
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in islice(source, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
