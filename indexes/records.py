"""What goes into an index and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexes.errors import BadRecord

State = Literal["indexed", "skipped"]
FloatArray = NDArray[np.float32]

# SQLite integers are signed and have 64 bits.
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What is known of a picture's file.

    Attributes:
        path: relative to the gallery's root, with forward slashes, without "." and "..".
        size: bytes.
        mtime_ns: time of the last change, nanoseconds since 1970 (`os.stat_result.st_mtime_ns`).
        content_hash: hexadecimal digest of the file's bytes; None if they could not be read.
        width: pixels as shown, that is after the EXIF orientation; None if unknown.
        height: pixels as shown; None if unknown.
        exif_date: when the picture was taken by the camera's clock, without a time zone.
        exif_orientation: 1 to 8 as in EXIF; None if the file does not say.
    """

    path: str
    size: int
    mtime_ns: int
    content_hash: str | None = None
    width: int | None = None
    height: int | None = None
    exif_date: datetime | None = None
    exif_orientation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(PictureFacts):
    """A picture of the index, or an item of another kind.

    Attributes:
        id: stable: a changed or renamed file keeps it, and it is never given to another picture.
        kind: that of its gallery.
        state: "indexed" (has a vector) or "skipped" (has none).
        error: why it was skipped; None if it was indexed.
    """

    id: int
    state: State
    error: str | None = None
    kind: str = "image"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record(PictureFacts):
    """A picture to be written: its facts and either its vectors or the reason why it has none.

    Attributes:
        vectors: space -> float32, shape (dim,), unit length; one for each space of the index.
        error: why the picture was skipped.

    Raises:
        BadRecord: neither or both of vectors and error; a path that is not relative to the root;
            a number out of range.
    """

    vectors: Mapping[str, FloatArray] | None = None
    error: str | None = None

    def __post_init__(self) -> None:
        check_path(self.path)
        if (self.vectors is None) == (self.error is None):
            raise BadRecord(f"{self.path!r}: give vectors or an error, and only one of them.")
        if self.error is not None and not self.error.strip():
            raise BadRecord(f"{self.path!r}: the error text is empty; say why it was skipped.")
        if self.content_hash is not None and not self.content_hash:
            raise BadRecord(f"{self.path!r}: content_hash is empty; use None for an unknown one.")
        self._check_number("size", 0, _LARGEST)
        self._check_number("mtime_ns", -_LARGEST, _LARGEST)
        self._check_number("width", 1, _LARGEST, optional=True)
        self._check_number("height", 1, _LARGEST, optional=True)
        self._check_number("exif_orientation", 1, 8, optional=True)
        if self.exif_date is not None and self.exif_date.tzinfo is not None:
            raise BadRecord(f"{self.path!r}: exif_date must have no time zone, as in EXIF itself.")

    def _check_number(self, name: str, low: int, high: int, optional: bool = False) -> None:
        value: Any = getattr(self, name)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadRecord(f"{self.path!r}: {name} must be an integer, not {value!r}.")
        if not low <= value <= high:
            raise BadRecord(f"{self.path!r}: {name} must lie in {low} to {high}, not {value}.")


@dataclass(frozen=True, slots=True)
class Known:
    """Enough of a stored picture to see whether its file has changed since."""

    id: int
    size: int
    mtime_ns: int
    content_hash: str | None
    state: State


class Place(NamedTuple):
    """Where a picture belongs: the kind of its gallery, and its path there."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of pictures by state."""

    indexed: int
    skipped: int

    @property
    def total(self) -> int:
        """All pictures of the catalogue."""
        return self.indexed + self.skipped


def check_path(path: str) -> str:
    """Return a path that is relative to the gallery's root and written in its only form.

    Raises:
        BadRecord: absolute, empty, with a NUL, or with ".", ".." or doubled slashes.
    """
    if not isinstance(path, str) or not path:
        raise BadRecord(f"a picture's path must be a non-empty string, not {path!r}.")
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path or path == ".":
        raise BadRecord(
            f"{path!r}: a picture's path must be relative to the gallery's root, with forward "
            'slashes and without ".", ".." or doubled slashes.'
        )
    if "\0" in path:
        raise BadRecord(f"{path!r}: a picture's path cannot hold a NUL character.")
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise BadRecord(f"{path!r}: this file name cannot be stored as text.") from error
    return path
