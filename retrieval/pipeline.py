"""Work done ahead by threads, taken in order, never more of it waiting than agreed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def usual_threads() -> int:
    """One a core, at most 8: more wait for the model."""
    return min(8, os.cpu_count() or 1)


def ahead(
    work: Callable[[In], Out], items: Iterable[In], *, workers: int, waiting: int
) -> Generator[Out, None, None]:
    """`map(work, items)` with `workers` threads running ahead of whoever takes the results.

    At most `waiting` results are finished or in the making and not yet taken, whatever the number
    of items: this is what bounds the memory of a build. When the caller stops early, what has not
    begun is dropped.

    Raises:
        Exception: what `work` raised, when its turn comes.
    """
    source = iter(items)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prepare")
    try:
        pending: deque[Future[Out]] = deque(
            pool.submit(work, item) for item in islice(source, waiting)
        )
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(work, item) for item in islice(source, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
