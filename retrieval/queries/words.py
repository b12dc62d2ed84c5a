"""Words as a query."""

from __future__ import annotations

from retrieval.errors import QueryError
from retrieval.queries.inputs import Input


def read_words(source: object, where: str = "text") -> Input:
    """Words, without the white space around them; `where` names them in messages.

    Raises:
        QueryError: not a string, nothing but white space, or no Unicode text.
    """
    if not isinstance(source, str):
        raise QueryError(f"expected a string, got {type(source).__name__}", where=where)
    words = source.strip()
    if not words:
        raise QueryError("the query is empty, give at least one word", where=where)
    try:
        words.encode("utf-8")
    except UnicodeEncodeError:  # bytes of another charset come from the terminal as surrogates
        raise QueryError(
            "expected Unicode text, got stray bytes or surrogates", where=where
        ) from None
    return Input("text", words)
