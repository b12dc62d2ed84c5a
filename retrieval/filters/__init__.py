"""Filters: conditions on items, as users type them."""

from retrieval.filters.errors import FilterError
from retrieval.filters.parsing import read_filter

__all__ = ["FilterError", "read_filter"]
