"""Queries: reading them, combining their inputs, and handing them to a model.

Light to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrieval.queries.preparing import as_read, prepare
    from retrieval.queries.query import Query

_LAZY = {
    "Query": "retrieval.queries.query",
    "as_read": "retrieval.queries.preparing",
    "prepare": "retrieval.queries.preparing",
}

__all__ = ["Query", "as_read", "prepare"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'retrieval.queries' has no attribute {name!r}")
