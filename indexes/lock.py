"""One writer at a time, by a lock that the system releases when its process ends."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from indexes.errors import IndexBusy, from_os_error

LOCK_NAME = "write.lock"


class WriteLock:
    """The right to write to one index; a context manager that may be entered again while held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Not thread-local: a build may commit from another thread than the one that locked.
        self._file = FileLock(folder / LOCK_NAME, timeout=0, thread_local=False)

    def __enter__(self) -> WriteLock:
        """Take the lock at once.

        Raises:
            IndexBusy: somebody else has it.
            ReadOnlyIndex: the folder cannot be written to.
        """
        try:
            self._file.acquire()
        except Timeout as error:
            raise IndexBusy(self._folder) from error
        except OSError as error:
            raise from_os_error(self._folder, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back once it has been left as often as entered."""
        self._file.release()
