"""The errors of this package; each message is one line and says what to do."""

from __future__ import annotations


class RetrievalError(Exception):
    """Base of every error of this package.

    Args:
        reason: what is wrong, and how to fix it.
        where: the option, the file or the line that it is about; None: the reason says it.

    Attributes:
        reason, where: these. The message is "where: reason", or the reason alone.
    """

    def __init__(self, reason: object = "", *, where: object = None) -> None:
        self.reason = str(reason)
        self.where = None if where is None else str(where)
        super().__init__(self.reason if where is None else f"{where}: {self.reason}")

    def within(self, place: str) -> str:
        """The message for a reader who knows that it is about `place`, a file or an option."""
        where = (self.where or "").removeprefix(place).lstrip(": ")
        return f"{where}: {self.reason}" if where else self.reason


class UsageError(RetrievalError):
    """Invalid arguments: no query, k < 1, a missing file."""


class QueryError(UsageError):
    """A query input that cannot be read: an unknown class colour, a damaged image."""


class ModelUnavailable(RetrievalError):
    """The model that made an index cannot be loaded by the name that the index remembers."""


class ItemError(RetrievalError):
    """An item or an image that cannot be read. The message is the reason, without its path."""


class BuildInterrupted(RetrievalError):
    """Building was stopped by the user. What was finished is in the index."""
