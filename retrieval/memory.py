"""A lack of memory, as an error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from retrieval.errors import RetrievalError


@contextmanager
def memory_errors(advice: str) -> Iterator[None]:
    """Translate a lack of memory.

    Raises:
        RetrievalError: Python, NumPy or torch could not allocate memory; it ends with `advice`.
    """
    try:
        yield
    except Exception as error:
        if not lacks_memory(error):
            raise
        raise RetrievalError(f"not enough memory; {advice}") from error


def lacks_memory(error: Exception) -> bool:
    """Whether an error is a lack of memory, of the processor or of a GPU."""
    # torch's allocator of the CPU raises a plain RuntimeError.
    said = str(error).lower() if isinstance(error, RuntimeError) else ""
    return isinstance(error, MemoryError) or any(
        words in said for words in ("out of memory", "not enough memory", "can't allocate memory")
    )
