"""From what a user gives to what the model takes in."""

from retrieval.queries.inputs import Input
from retrieval.queries.preparing import as_read, prepare
from retrieval.queries.query import READERS, Query

__all__ = ["READERS", "Input", "Query", "as_read", "prepare"]
