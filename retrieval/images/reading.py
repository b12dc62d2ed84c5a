"""The content of a file, read once, with the hash by which a moved file is recognised."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from fourm.regular_files import NotRegular, open_regular
from retrieval.errors import ItemError

MAX_FILE_BYTES = 1 << 29
"""Larger files are not read: each worker of a build holds a file in memory."""


@dataclass(frozen=True)
class FileBytes:
    """The content of a file and its SHA-256 as hexadecimal digits."""

    content: bytes
    content_hash: str


class FileNotRead(ItemError):
    """The file could not be read, so that nothing is known of its content."""


def read_file(path: str | os.PathLike[str], *, pipes: bool = False) -> FileBytes:
    """Read a whole file.

    Args:
        path: of the file.
        pipes: read a pipe as well, to its end.

    Raises:
        FileNotRead: it does not exist, is no regular file, is too large, or cannot be read.
    """
    try:
        with open(path, "rb") if pipes and Path(path).is_fifo() else open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise FileNotRead(
                    f"file too large: {size} bytes, the limit is {MAX_FILE_BYTES} bytes"
                )
            content = file.read(MAX_FILE_BYTES + 1)
            if len(content) > MAX_FILE_BYTES:
                raise FileNotRead(f"file too large: the limit is {MAX_FILE_BYTES} bytes")
    except PermissionError:
        raise FileNotRead("no permission to read the file") from None
    except FileNotFoundError:
        raise FileNotRead("file is missing") from None
    except NotRegular:
        raise FileNotRead("not a regular file") from None
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "OSError")
        raise FileNotRead(f"cannot be read: {error.strerror or name}") from None
    return FileBytes(content, hashlib.sha256(content).hexdigest())
