"""Queries: reading them, combining their inputs, and handing them to a model.

Light to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.exports import lazy_exports

if TYPE_CHECKING:
    from retrieval.queries.preparing import as_read, prepare
    from retrieval.queries.query import Query

_LAZY = {
    "Query": "retrieval.queries.query",
    "as_read": "retrieval.queries.preparing",
    "prepare": "retrieval.queries.preparing",
}

__all__ = ["Query", "as_read", "prepare"]

__getattr__ = lazy_exports(__name__, _LAZY)
