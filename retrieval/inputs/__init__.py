"""Reading what a user gives: files, arrays, images, JSON.

Light to import; the readers in this package are not.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from retrieval.errors import QueryError

_MOST_BYTES = 1 << 26

Origin = Literal["given", "computed", "predicted"]


@dataclass(frozen=True, eq=False)
class Input:
    """One input of a query, or one item of a gallery.

    Attributes:
        modality: name of its modality, e.g. `edges`.
        value: its value for the model; of a predicted input, the photo to predict it from.
        name: the file it came from, if any.
        origin: whether the user gave it, it was computed from a photo, or the model is to predict
            it from one.
        weight: in a weighted query; negative for a negative prompt.
        read_as: format that it was read as, where there are several.
        notes: what the user should know of how it was read, e.g. `read as: sky 40 %, grass 60 %`.
    """

    modality: str
    value: Any
    name: str | None = None
    origin: Origin = "given"
    weight: float = 1.0
    notes: tuple[str, ...] = ()
    read_as: str = ""


def existing_file(source: str | os.PathLike[str], what: str) -> Path:
    """The path of a file that exists.

    Raises:
        QueryError: nothing is there, or it is a folder or a device.
    """
    path = Path(source)
    if not os.fspath(source):
        raise QueryError(f"expected the path of {what}, got an empty string")
    try:
        if path.is_dir():
            raise QueryError(f"is a folder, expected {what}", where=path)
        if not path.exists():
            raise QueryError("no such file", where=path)
        if path.is_char_device() or path.is_block_device() or path.is_socket():
            raise QueryError(f"is a device, expected {what}", where=path)  # may have no end
    except (OSError, ValueError) as error:  # a NUL in the name, a name too long
        raise QueryError(f"cannot be read ({error})", where=path) from None
    return path


def bounded_text(path: Path) -> str:
    """The text of a file of at most 64 MiB.

    Raises:
        OSError: it cannot be read, is larger, or is a device, which may have no end.
        UnicodeDecodeError: it is not UTF-8.
    """
    if path.is_char_device() or path.is_block_device():
        raise OSError(0, "it is a device")
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(0, f"larger than {_MOST_BYTES >> 20} MiB")
    return content.decode("utf-8-sig")


def path_like(value: object, suffixes: Collection[str]) -> bool:
    """Whether a value is a path, or a string that ends like one."""
    return isinstance(value, os.PathLike) or (
        isinstance(value, str) and Path(value).suffix.lower() in suffixes
    )


@contextmanager
def errors_of(where: object) -> Iterator[None]:
    """Turn a `fourm.BadInput` into a `QueryError` about `where`, a file or an option."""
    from fourm import BadInput

    try:
        yield
    except BadInput as error:
        raise QueryError(error, where=where) from None
