"""What goes into an index and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexes.details import Details
from indexes.errors import BadRecord

State = Literal["indexed", "skipped"]
FloatArray = NDArray[np.float32]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of the width and height as shown, 0 to 1."""

IdArray = NDArray[np.int64]

# SQLite integers are signed and have 64 bits.
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """What an index stores of the file of an item.

    Attributes:
        path: relative to the root of the gallery, with forward slashes, without "." and "..".
        size: bytes.
        mtime_ns: time of the last change, nanoseconds since 1970 (`os.stat_result.st_mtime_ns`).
        content_hash: hexadecimal digest of the content; None if it could not be read.
        width: pixels as shown, after the EXIF orientation; None if unknown.
        height: pixels as shown; None if unknown.
        exif_date: when the photo was taken by the clock of the camera, without a time zone.
        exif_orientation: 1 to 8 as in EXIF; None if the file has none.
        ctime_ns: time of the last change of the file or its attributes, nanoseconds since 1970
            (`st_ctime_ns`); None if unknown.
        inode: number of the file in its file system (`st_ino`), as a signed integer of 64 bits;
            None if unknown.
        pixel_hash: hexadecimal digest of what decides the pixels as shown: a file of which only
            texts, dates or ratings were edited keeps it. None if unknown.
        frames: number of frames of an animation or pages of a document; None if unknown.
        needs_decoder: the package whose lack is the reason why it was skipped; None: no lack.
    """

    path: str
    size: int
    mtime_ns: int
    content_hash: str | None = None
    width: int | None = None
    height: int | None = None
    exif_date: datetime | None = None
    exif_orientation: int | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    pixel_hash: str | None = None
    frames: int | None = None
    needs_decoder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(FileInfo):
    """An item of the index: an image, a line of text, a depth map ...

    Attributes:
        id: stable: a changed or renamed file keeps it, and it is never used again.
        modality: of its gallery.
        state: "indexed" (has vectors) or "skipped" (has none).
        error: why it was skipped; None if it was indexed.
        missing_since: when its file was first not found, in UTC without a time zone; None: the
            file was there. A missing item is not searched.
    """

    id: int
    state: State
    error: str | None = None
    modality: str = "image"
    missing_since: datetime | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of an image that is found for itself, e.g. a square of a panorama.

    Attributes:
        box: where it is.
        vectors: space -> float32, shape (dim,), unit length.

    Raises:
        BadRecord: a box that is empty or beyond 0 to 1.
    """

    box: Box
    vectors: Mapping[str, FloatArray]

    def __post_init__(self) -> None:
        left, top, right, bottom = self.box
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise BadRecord(f"the box of a part must be within 0 and 1, got {self.box}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Record(FileInfo):
    """An item to write, with either its vectors or the reason why it has none.

    Attributes:
        vectors: space -> float32, shape (dim,), unit length; one for each space of the index.
        parts: further vectors of an image; a search counts the best of all.
        error: why the item was skipped.
        details: what the metadata of an image file say; None: unknown.

    Raises:
        BadRecord: both or neither of vectors and error; a path that is not relative to the root;
            a number out of range.
    """

    vectors: Mapping[str, FloatArray] | None = None
    parts: Sequence[Part] = ()
    error: str | None = None
    details: Details | None = None

    def __post_init__(self) -> None:
        check_path(self.path)
        if (self.vectors is None) == (self.error is None):
            raise BadRecord("expected either vectors or an error", where=repr(self.path))
        if self.parts and self.vectors is None:
            raise BadRecord("parts are for items with vectors", where=repr(self.path))
        if self.error is not None and not self.error.strip():
            raise BadRecord("error must not be empty", where=repr(self.path))
        for name in ("content_hash", "pixel_hash", "needs_decoder"):
            if getattr(self, name) == "":
                raise BadRecord(
                    f"{name} must not be empty; use None if it is unknown", where=repr(self.path)
                )
        if self.needs_decoder is not None and self.error is None:
            raise BadRecord("needs_decoder is for skipped items", where=repr(self.path))
        self._check_number("size", 0, _LARGEST)
        self._check_number("mtime_ns", -_LARGEST, _LARGEST)
        self._check_number("ctime_ns", -_LARGEST, _LARGEST, optional=True)
        self._check_number("inode", -_LARGEST - 1, _LARGEST, optional=True)
        self._check_number("frames", 1, _LARGEST, optional=True)
        self._check_number("width", 1, _LARGEST, optional=True)
        self._check_number("height", 1, _LARGEST, optional=True)
        self._check_number("exif_orientation", 1, 8, optional=True)
        if self.exif_date is not None and self.exif_date.tzinfo is not None:
            raise BadRecord("exif_date must not have a time zone", where=repr(self.path))

    def _check_number(self, name: str, low: int, high: int, optional: bool = False) -> None:
        value: Any = getattr(self, name)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadRecord(f"{name} must be an integer, got {value!r}", where=repr(self.path))
        if not low <= value <= high:
            raise BadRecord(
                f"{name} must be in [{low}, {high}], got {value}", where=repr(self.path)
            )


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """What is compared to detect that the file of an item has changed."""

    id: int
    size: int
    mtime_ns: int
    content_hash: str | None
    state: State
    error: str | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    pixel_hash: str | None = None
    needs_decoder: str | None = None
    missing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """What an index stores of the shape of an indexed item.

    Attributes:
        width, height, frames: as in `FileInfo`.
        parts: space -> number of parts with a vector, where there are any.
    """

    width: int | None
    height: int | None
    frames: int | None
    parts: Mapping[str, int]


class ItemPath(NamedTuple):
    """The modality of an item's gallery, and its path there."""

    modality: str
    path: str


class SearchResult(NamedTuple):
    """The k' = min(k, number of items searched) best items of each of Q queries, best first.

    An item with parts has in each space the cosine of the best of its vectors. All of it is read in
    one transaction, so that each id has its item.

    Attributes:
        scores: float32 (Q, k'), cosines in [-1, 1]; of several spaces float64 (Q, k'), the fused
            scores.
        ids: int64 (Q, k').
        cosines: space -> float32 (Q, k'), in [-1, 1], of the same items.
        items: id -> modality and path of every item in `ids`; empty if they were not asked for.
        parts: int64 (Q, k'), the part that is nearest in the first space; 0: the item as a whole.
        boxes: (id, part) -> where it is, of every part in `parts`; empty as `items`.
        frames: id -> number of frames or pages, where it is known; empty as `items`.
    """

    scores: NDArray[Any]
    ids: IdArray
    cosines: Mapping[str, FloatArray]
    items: Mapping[int, ItemPath]
    parts: IdArray
    boxes: Mapping[tuple[int, int], Box]
    frames: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of items by state.

    Attributes:
        indexed: items that are searched.
        skipped: items that could not be read.
        missing: items, indexed or skipped, whose files are missing.
    """

    indexed: int
    skipped: int
    missing: int = 0

    @property
    def total(self) -> int:
        """All items of the catalogue."""
        return self.indexed + self.skipped + self.missing


def check_path(path: str) -> str:
    """Return a path that is relative to the root of the gallery and in its only form.

    Raises:
        BadRecord: absolute, empty, with a NUL, or with ".", ".." or doubled slashes.
    """
    if not isinstance(path, str) or not path:
        raise BadRecord(f"the path of an item must be a non-empty string, got {path!r}")
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or str(pure) != path or path == ".":
        raise BadRecord(
            "the path of an item must be relative to the root of the gallery, with forward "
            'slashes and without ".", ".." or doubled slashes',
            where=repr(path),
        )
    if "\0" in path:
        raise BadRecord("the path of an item must not contain a NUL character", where=repr(path))
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise BadRecord("the file name cannot be encoded as text", where=repr(path)) from error
    return path
