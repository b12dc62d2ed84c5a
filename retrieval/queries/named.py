"""Errors of the model's own parsers, as errors of the input that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fourm import BadInput
from retrieval.errors import QueryError


@contextmanager
def named(name: object) -> Iterator[None]:
    """Turn a `BadInput` into a `QueryError` that starts with the name of the file or option."""
    try:
        yield
    except BadInput as error:
        raise QueryError(error, where=name) from None
