"""A picture file's bytes, read once, with the hash that recognises the same content again."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass

from retrieval.errors import PictureError

MAX_FILE_BYTES = 1 << 29
"""A larger file is not read: a build holds one file per worker in memory."""


@dataclass(frozen=True)
class FileBytes:
    """The whole content of a file and its SHA-256 in hex."""

    content: bytes
    content_hash: str


class FileNotRead(PictureError):
    """Nothing of the file was read, so that nothing is known about its content."""


def read_file(path: str | os.PathLike[str]) -> FileBytes:
    """Read a file as a whole.

    Raises:
        FileNotRead: it is missing, too large, or may not be read.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise FileNotRead(
                    f"file too large: {size} bytes, the limit is {MAX_FILE_BYTES} bytes"
                )
            content = file.read()
    except PermissionError:
        raise FileNotRead("no permission to read the file") from None
    except FileNotFoundError:
        raise FileNotRead("file is missing") from None
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "OSError")
        raise FileNotRead(f"cannot be read: {error.strerror or name}") from None
    return FileBytes(content, hashlib.sha256(content).hexdigest())
