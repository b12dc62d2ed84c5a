"""What can go wrong here, each with a message that fits on one line and the way out."""

from __future__ import annotations


class RetrievalError(Exception):
    """Base of every error of this package. `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(RetrievalError):
    """The caller asked for something that cannot be: no query, k < 1, a missing file."""

    exit_code = 2


class QueryError(UsageError):
    """A query input that cannot be read: an unknown class colour, a damaged picture."""


class ModelUnavailable(RetrievalError):
    """The model that made an index cannot be loaded by the name that the index remembers."""


class PictureError(RetrievalError):
    """One picture that cannot be read. The message is the reason, without the file's name."""


class BuildInterrupted(RetrievalError):
    """Building was stopped by the user. What was finished is in the index."""

    exit_code = 130
