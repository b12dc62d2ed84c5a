"""Paths as a caller gives them."""

from __future__ import annotations

import os
from pathlib import Path

from fourm.messages import shown
from retrieval.errors import UsageError


def read_folder(given: object, name: str) -> Path:
    """The path of a folder; an empty string is not the current one.

    Raises:
        UsageError: as `read_file_path`.
    """
    return _read(given, name, "the path of one folder")


def read_file_path(given: object, name: str) -> Path:
    """The path of a file.

    Args:
        given: what a caller gave.
        name: of the argument, for messages.

    Raises:
        UsageError: anything but a string or path, an empty one, or one with a NUL.
    """
    return _read(given, name, "the path of one file")


def _read(given: object, name: str, what: str) -> Path:
    if isinstance(given, (str, os.PathLike)):
        text = os.fspath(given)
        if isinstance(text, str) and text and "\0" not in text:
            return Path(text)
    raise UsageError(f"{name} must be {what}, got {shown(given)}")
