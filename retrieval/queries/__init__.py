"""From what a user gives to what the model takes in."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrieval.queries.inputs import Input
    from retrieval.queries.preparing import as_read, prepare
    from retrieval.queries.query import READERS, Query

_LAZY = {
    "READERS": "retrieval.queries.query",
    "Input": "retrieval.queries.inputs",
    "Query": "retrieval.queries.query",
    "as_read": "retrieval.queries.preparing",
    "prepare": "retrieval.queries.preparing",
}

__all__ = ["READERS", "Input", "Query", "as_read", "prepare"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'retrieval.queries' has no attribute {name!r}")
