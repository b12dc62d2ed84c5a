"""The tables of the catalogue, format version 1.

A gallery is a root folder whose items are all of one kind; a space is how vectors were made; a
picture has at most one vector in each space. One gallery and one space are in use today; further
ones are further rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Dialect, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, String, TypeDecorator

from indexes.records import State

FORMAT_VERSION = 1
# "4M21", in the field of the SQLite header that tells applications' files apart.
APPLICATION_ID = 0x344D3231


class PathText(TypeDecorator[str]):
    """File names as text; those that are not valid UTF-8 (lone surrogates here) as a blob."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Text to what SQLite stores."""
        if value is None:
            return None
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogateescape")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """What SQLite stores to text."""
        if isinstance(value, bytes):
            return value.decode("utf-8", "surrogateescape")
        return None if value is None else str(value)


class Base(DeclarativeBase):
    """The mapped classes' common registry."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {State: String}


class GalleryRow(Base):
    """A root folder and the kind of its items."""

    __tablename__ = "galleries"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    root: Mapped[str] = mapped_column(PathText)


class SpaceRow(Base):
    """A recipe, and a generation that grows with every change to the space's vectors."""

    __tablename__ = "spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    fingerprint: Mapped[str]
    dim: Mapped[int]
    preprocessing: Mapped[str]
    generation: Mapped[int] = mapped_column(default=0)


class PictureRow(Base):
    """The facts of one file. AUTOINCREMENT: the id of a forgotten picture is not used again."""

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


class VectorRow(Base):
    """One vector: little-endian float32, `dim` of them."""

    __tablename__ = "vectors"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(
        ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class PublishedRow(Base):
    """The file that holds a space's vectors in the vector engine's own format.

    It is believed only if its generation is the space's and its bytes have this digest.
    """

    __tablename__ = "published"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    generation: Mapped[int]
    size: Mapped[int]
    sha256: Mapped[str]
