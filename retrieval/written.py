"""Which files this program has written: it replaces no others.

In a folder of results, `.fourm-files.json` lists them with their SHA-256. A single page or sheet
has a mark of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from fourm.regular_files import open_regular, read_regular
from retrieval.errors import UsageError

LIST = ".fourm-files.json"

_MARKS = (b"tEXtSoftware\0fourm-retrieval", b'<meta name="generator" content="fourm-retrieval">')
_HEAD = 4096
_MOST = 1 << 20


class WrittenFiles:
    """The files of one folder that this program has written.

    Args:
        folder: need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = _read(folder / LIST)

    def check(self, names: Iterable[str]) -> None:
        """Refuse to replace other files.

        Args:
            names: of the files to be written, relative to the folder.

        Raises:
            UsageError: one exists and was not written by this program, or was changed since.
        """
        for name in names:
            path = self._folder / name
            if os.path.lexists(path) and (name not in self._known or self._changed(name)):
                raise UsageError(
                    "exists, and would be replaced, but `fourm` did not write it; move it away, "
                    "or choose another folder",
                    where=path,
                )

    def write(self, name: str, save: Callable[[BinaryIO], object]) -> None:
        """Write a file: all of it or nothing, and not through a link.

        Args:
            name: relative to the folder; one of those that were checked.
            save: writes the content.

        Raises:
            UsageError: it cannot be written.
        """
        path = self._folder / name
        self._known[name] = None  # a run that is stopped between the two may be repeated
        self._save()
        replace(path, save)
        self._known[name] = _digest(path)
        self._save()

    def remove(self, name: str) -> None:
        """Remove a file that was checked, if it exists.

        Raises:
            UsageError: it cannot be removed.
        """
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            reason = f"cannot be removed ({error.strerror or error})"
            raise UsageError(reason, where=self._folder / name) from None
        if name in self._known:
            del self._known[name]
            self._save()

    def _changed(self, name: str) -> bool:
        return self._known[name] not in (None, _digest(self._folder / name))

    def _save(self) -> None:
        text = json.dumps({"files": dict(sorted(self._known.items()))}, indent=2) + "\n"
        replace(self._folder / LIST, lambda file: file.write(text.encode()))


def keep_foreign(path: Path | None) -> None:
    """Refuse to replace a page or sheet that this program did not write.

    Raises:
        UsageError: another file is there.
    """
    if path is None or not os.path.lexists(path):
        return
    head = b""
    with suppress(OSError):
        if not path.is_symlink():
            with open_regular(path) as file:
                head = file.read(_HEAD)
    if not any(mark in head for mark in _MARKS):
        raise UsageError(
            "exists, and `fourm` did not write it; delete it, or choose another name", where=path
        )


def replace(path: Path, save: Callable[[BinaryIO], object]) -> None:
    """Write a file under a temporary name, then put it in its place.

    Raises:
        UsageError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file:
            save(file)
        os.replace(partial, path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        reason = f"cannot be written ({error.strerror or error})"
        raise UsageError(reason, where=path) from None


def _read(path: Path) -> dict[str, Any]:
    """Name -> SHA-256, or None while it is written; empty where nothing can be read."""
    try:
        files = json.loads(read_regular(path, _MOST))["files"]
        return dict(files) if isinstance(files, dict) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _digest(path: Path) -> str:
    """SHA-256 (hex) of a file; empty where it is none, or cannot be read."""
    if path.is_symlink():
        return ""
    try:
        with open_regular(path) as file:
            digest = hashlib.sha256()
            while block := file.read(_MOST):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
