"""Showing how far a long run is: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from tqdm import tqdm

SECONDS = 30.0
"""Between two lines where there is no terminal, as under cron or in a container."""


class Progress:
    """Counts finished items on stderr; a context manager.

    Args:
        total: number of items.
        title: what is done: "indexing".
        unit: name of the items, in the plural.
        shown: False: shows nothing.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        total: int,
        title: str,
        unit: str,
        *,
        shown: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._title, self._unit = total, title, unit
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._bar = tqdm(total=total, desc=title, unit=f" {unit}", disable=not (shown and terminal))
        self._lines = shown and not terminal and sys.stderr is not None
        self._clock = clock
        self._done, self._told = 0, clock()

    def update(self, count: int) -> None:
        """Count finished items, and say how far it is if it is time to."""
        self._done += count
        self._bar.update(count)
        if self._lines and self._clock() - self._told >= SECONDS:
            self._told = self._clock()
            share = f" ({100 * self._done / self._total:.0f} %)" if self._total else ""
            with suppress(OSError):  # nobody reads it
                print(
                    f"{self._title}: {self._done} of {self._total} {self._unit}{share}",
                    file=sys.stderr,
                    flush=True,
                )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()
