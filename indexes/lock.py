"""One writer at a time, by a lock that the system releases when its process ends."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from indexes.errors import CannotLock, IndexBusy, from_os_error
from indexes.unsafe import refuse_links

LOCK_NAME = "write.lock"


class WriteLock:
    """The right to write to one index; a reentrant context manager.

    A lock that is held is not carried over to a forked child: there, entering takes it anew, and
    raises `IndexBusy` while the parent holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open()

    def __enter__(self) -> WriteLock:
        """Take the lock without waiting.

        Raises:
            IndexBusy: it is held elsewhere.
            ReadOnlyIndex: the folder is read-only.
            UnsafeIndex: the lock file is a link.
            CannotLock: the file system has no locks.
        """
        if self._pid != os.getpid():
            # Kept, since some versions of FileLock release in __del__, which would release the
            # lock of the parent.
            self._parents = self._file
            self._open()
        # FileLock follows a link in some of its versions.
        refuse_links(self._folder, [LOCK_NAME])
        try:
            self._file.acquire()
        except Timeout as error:
            raise IndexBusy(self._folder) from error
        except NotImplementedError as error:  # older versions of FileLock
            raise CannotLock(self._folder, "it has no flock") from error
        except OSError as error:
            raise from_os_error(self._folder, error) from error
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the lock when it has been exited as often as entered."""
        if self._pid == os.getpid():
            self._file.release()

    def _open(self) -> None:
        self._pid = os.getpid()
        # Not thread-local: a build may commit from another thread than the one that locked.
        self._file = FileLock(self._folder / LOCK_NAME, timeout=0, thread_local=False)
