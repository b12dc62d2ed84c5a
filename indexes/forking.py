"""Makes `os.fork` safe for open indexes.

SQLite keeps its file locks and mutexes in memory. A child that is forked while another thread is
inside SQLite inherits them locked, and waits for ever. So a fork waits until the transactions of
other threads have ended, and new ones wait for the fork.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class ForkGate:
    """Allows any number of concurrent transactions, and a fork only between them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._forking = False
        self._running: Counter[int] = Counter()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """No other thread forks inside this block."""
        thread = threading.get_ident()
        with self._changed:
            # A nested transaction must not wait for a fork that waits for the outer one.
            self._changed.wait_for(lambda: not self._forking or self._running[thread] > 0)
            self._running[thread] += 1
        try:
            yield
        finally:
            with self._changed:
                self._running[thread] -= 1
                self._running = +self._running
                self._changed.notify_all()

    def before_fork(self) -> None:
        """Wait for the transactions of other threads; no new one begins until the fork is over."""
        own = threading.get_ident()
        self._changed.acquire()
        self._forking = True
        self._changed.wait_for(
            lambda: not any(count for thread, count in self._running.items() if thread != own)
        )

    def after_fork_in_parent(self) -> None:
        """Allow transactions again."""
        self._forking = False
        self._changed.notify_all()
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Reset the gate: the threads of the parent do not exist here."""
        self._changed = threading.Condition()
        self._forking = False
        self._running = Counter()


FORK_GATE = ForkGate()
_inherited: set[str] = set()


def forked_after_import(module: str) -> bool:
    """Whether this process was forked from one that had already imported the module."""
    return module in _inherited


def _note_inherited_modules() -> None:
    _inherited.update({"faiss"} & sys.modules.keys())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=FORK_GATE.before_fork,
        after_in_parent=FORK_GATE.after_fork_in_parent,
        after_in_child=FORK_GATE.after_fork_in_child,
    )
    os.register_at_fork(after_in_child=_note_inherited_modules)
