"""Attempts to make an index or a file of somebody else do harm; each has to fail."""

from tests.indexes.conftest import (
    filled,
    folder,
    index,
    make_record,
    make_vector,
    read_only,
    recipe,
)

__all__ = ["filled", "folder", "index", "make_record", "make_vector", "read_only", "recipe"]
