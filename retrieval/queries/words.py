"""Words as a query."""

from __future__ import annotations

from retrieval.errors import QueryError
from retrieval.queries.inputs import Input


def read_words(source: object) -> Input:
    """Words, without the white space around them.

    Raises:
        QueryError: not a string, or nothing but white space.
    """
    if not isinstance(source, str):
        raise QueryError(f"text: expected a string, got {type(source).__name__}")
    words = source.strip()
    if not words:
        raise QueryError("text: the query is empty, give at least one word")
    return Input("text", words)
