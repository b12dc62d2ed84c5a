"""Makes `os.fork` safe for loaded models.

A child inherits none of the parent's threads: it would wait for ever for those of torch's OpenMP
pool, and for a lock that another thread held. A GPU cannot be used by parent and child.
"""

from __future__ import annotations

import os
import sys
from typing import Protocol
from weakref import WeakSet


class Inherited(Protocol):
    """What a forked child has to reset."""

    def after_fork(self, cuda: bool) -> None:
        """Reset locks; `cuda` says whether the parent had used a GPU."""


_alive: WeakSet[Inherited] = WeakSet()
_cuda = False


def reset_after_fork(model: Inherited) -> None:
    """Call `after_fork` of an object in every forked child, as long as the object lives."""
    _alive.add(model)


def _before_fork() -> None:
    global _cuda
    torch = sys.modules.get("torch")
    _cuda = torch is not None and torch.cuda.is_initialized()


def _after_fork_in_child() -> None:
    models = list(_alive)
    for model in models:
        model.after_fork(_cuda)
    if models and "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
