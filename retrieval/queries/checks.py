"""Checks of what is given to a search as its query."""

from __future__ import annotations

from typing import NoReturn

from fourm.messages import shown
from retrieval.errors import UsageError
from retrieval.queries.query import Query


def check_queries(queries: object) -> None:
    """Check a batch of queries.

    Raises:
        UsageError: it is not a list of `Query` objects.
    """
    if not isinstance(queries, (list, tuple)) or not all(isinstance(q, Query) for q in queries):
        raise UsageError(f"expected a list of Query objects, got {shown(queries)}", where="queries")


def refuse_positional(given: object) -> NoReturn:
    """Say how to give an input that was given without its keyword.

    Raises:
        UsageError: always.
    """
    if isinstance(given, Query):
        raise UsageError("search() takes inputs by keyword; use search_batch() for a Query")
    name = "text" if isinstance(given, str) else "image"
    raise UsageError(f"search() takes inputs by keyword: search({name}={shown(given)})")
