"""The tables of the catalogue, format version 3.

A gallery is a root folder whose items are all of one modality. A space is how vectors were made. An
item has at most one vector as a whole in each space, and further ones of its parts. Tables and
columns keep the names that they were given when all items were pictures.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, String, TypeDecorator

from indexes.recipe import MODEL
from indexes.records import State

FORMAT_VERSION = 3
# "4M21", in the field of the SQLite header that tells applications' files apart.
APPLICATION_ID = 0x344D3231


class PathText(TypeDecorator[str]):
    """File names: text, or a blob where they are not valid UTF-8 (lone surrogates in Python)."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """From Python to SQLite."""
        if value is None:
            return None
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogateescape")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """From SQLite to Python."""
        if isinstance(value, bytes):
            return value.decode("utf-8", "surrogateescape")
        return None if value is None else str(value)


class Base(DeclarativeBase):
    """The common base of the mapped classes."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {State: String}


class IdentityRow(Base):
    """The one row that tells this index from any other, also from a later one in its folder."""

    __tablename__ = "identity"

    index_id: Mapped[str] = mapped_column(primary_key=True)


class GalleryRow(Base):
    """A root, the modality of its items, how they are read, and which names are excluded.

    `exclude` holds glob patterns, one a line.
    """

    __tablename__ = "galleries"
    __table_args__ = (Index("one_gallery_a_kind", "kind", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    modality: Mapped[str] = mapped_column("kind")
    root: Mapped[str] = mapped_column(PathText)
    options: Mapped[str] = mapped_column(server_default="")
    reader: Mapped[str] = mapped_column(server_default="")
    exclude: Mapped[str] = mapped_column(server_default="")


class SpaceRow(Base):
    """A recipe, and a generation that grows with every change to the vectors of the space."""

    __tablename__ = "spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    fingerprint: Mapped[str]
    dim: Mapped[int]
    preprocessing: Mapped[str]
    generation: Mapped[int] = mapped_column(default=0)
    encoder: Mapped[str] = mapped_column(server_default=MODEL)


class PrecisionRow(Base):
    """The precision in which the vectors of a space are made, where that matters.

    A table of its own: catalogues that were made before there was one do without.
    """

    __tablename__ = "precisions"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    precision: Mapped[str]


class CoverageRow(Base):
    """Every indexed item of this gallery has a vector in this space.

    A space that was added later has no row until the last item has its vector.
    """

    __tablename__ = "coverage"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id"), primary_key=True)


class ItemRow(Base):
    """One item. AUTOINCREMENT: the id of a deleted item is not used again.

    The columns after `error` are new in format 3 and empty for items of older formats.
    """

    __tablename__ = "pictures"
    __table_args__ = (
        UniqueConstraint("gallery_id", "path"),
        CheckConstraint(
            "(state = 'indexed' AND error IS NULL) OR (state = 'skipped' AND error IS NOT NULL)",
            name="state_and_error",
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    gallery_id: Mapped[int] = mapped_column(ForeignKey("galleries.id"))
    path: Mapped[str] = mapped_column(PathText)
    size: Mapped[int]
    mtime_ns: Mapped[int]
    content_hash: Mapped[str | None] = mapped_column(index=True)
    width: Mapped[int | None]
    height: Mapped[int | None]
    exif_date: Mapped[datetime | None] = mapped_column(DateTime)
    exif_orientation: Mapped[int | None]
    state: Mapped[State] = mapped_column(index=True)
    error: Mapped[str | None]
    ctime_ns: Mapped[int | None]
    inode: Mapped[int | None]
    pixel_hash: Mapped[str | None]
    frames: Mapped[int | None]
    needs_decoder: Mapped[str | None]
    missing_since: Mapped[datetime | None] = mapped_column(DateTime)


class VectorRow(Base):
    """The vector of an item as a whole: `dim` little-endian float32 numbers."""

    __tablename__ = "vectors"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(
        "picture_id", ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class PartVectorRow(Base):
    """The vector of a part of an image, e.g. of one of the squares of a panorama.

    The part with the number 0 would be the whole, which is in `vectors`. The box is given in
    fractions of the width and height as shown, 0 to 1.
    """

    __tablename__ = "part_vectors"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(
        "picture_id", ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    part: Mapped[int] = mapped_column(CheckConstraint("part >= 1"), primary_key=True)
    left: Mapped[float] = mapped_column(REAL)
    top: Mapped[float] = mapped_column(REAL)
    right: Mapped[float] = mapped_column(REAL)
    bottom: Mapped[float] = mapped_column(REAL)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class DetailsRow(Base):
    """What the metadata of an image file say, beside its date.

    An image without a row was indexed before there was this table, and is read at the next build.
    `reader` numbers the way in which metadata are read.
    """

    __tablename__ = "details"

    item_id: Mapped[int] = mapped_column(
        "picture_id", ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True
    )
    reader: Mapped[int]
    camera: Mapped[str | None]
    lens: Mapped[str | None]
    latitude: Mapped[float | None] = mapped_column(REAL)
    longitude: Mapped[float | None] = mapped_column(REAL)
    rating: Mapped[int | None]


class TagRow(Base):
    """A tag of an item.

    `key` is the tag as it is compared, without regard to case. `origin` is "file" for a keyword of
    the file, which is replaced when the file is read again; "added" for a tag that the user gave
    it; "removed" where the user took away a keyword of the file.
    """

    __tablename__ = "tags"
    __table_args__ = (
        Index("tags_by_key", "key"),
        CheckConstraint("origin IN ('file', 'added', 'removed')", name="origin_of_tag"),
    )

    item_id: Mapped[int] = mapped_column(
        "picture_id", ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str]


class PublishedRow(Base):
    """The FAISS file with the vectors of a space, of all galleries.

    It is used only if its generation is that of the space and its bytes have this digest.
    """

    __tablename__ = "published"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    generation: Mapped[int]
    size: Mapped[int]
    sha256: Mapped[str]
