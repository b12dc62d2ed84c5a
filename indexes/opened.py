"""An index folder that is open: its files, its galleries and spaces, and its transactions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from indexes import reading
from indexes.database import put_into_words
from indexes.errors import BadSearch
from indexes.lock import WriteLock
from indexes.reading import StoredGallery, StoredSpace
from indexes.recipe import Reading, Recipe
from indexes.searching import Searcher
from indexes.upgrading import upgrade, version

Self = TypeVar("Self", bound="OpenedIndex")


class OpenedIndex:
    """What all of an index's methods stand on; see `Index`."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self._folder = folder
        self._engine = engine
        self._write_lock = WriteLock(folder)
        self._searcher = Searcher(folder)
        self._version = 1
        with self._read() as session:
            self._read_heads(session)

    def close(self) -> None:
        """Close the catalogue and drop the vectors from memory."""
        self._searcher.clear()
        self._engine.dispose()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """The index's own folder."""
        return self._folder

    @property
    def root(self) -> Path:
        """The first gallery's root: its pictures' paths are relative to it."""
        return self.roots[next(iter(self._galleries))]

    @property
    def roots(self) -> dict[str, Path]:
        """Kind -> root of that gallery, the first gallery first."""
        return {kind: Path(gallery.root) for kind, gallery in self._galleries.items()}

    @property
    def readings(self) -> dict[str, Reading]:
        """Kind -> how the items of that gallery are read."""
        return {kind: gallery.reading for kind, gallery in self._galleries.items()}

    @property
    def recipe(self) -> Recipe:
        """How the vectors of the first space were made."""
        return next(iter(self._spaces.values())).recipe

    @property
    def recipes(self) -> dict[str, Recipe]:
        """Space -> how its vectors were made, the first space first."""
        return {name: space.recipe for name, space in self._spaces.items()}

    def lock(self) -> WriteLock:
        """The right to write, for a `with` block of several writes.

        Entering raises `IndexBusy` at once if somebody else has it. The system releases it when
        the process ends, however it ends.
        """
        return self._write_lock

    @property
    def _dims(self) -> dict[str, int]:
        return {name: space.recipe.dim for name, space in self._spaces.items()}

    @property
    def _space_ids(self) -> dict[str, int]:
        return {name: space.id for name, space in self._spaces.items()}

    def _gallery(self, kind: str | None) -> StoredGallery:
        wanted = next(iter(self._galleries)) if kind is None else kind
        if wanted not in self._galleries:
            raise BadSearch(
                f"{self._folder}: has no gallery of the kind {wanted!r}; it has "
                f"{', '.join(self._galleries)}."
            )
        return self._galleries[wanted]

    def _space(self, name: str | None) -> StoredSpace:
        wanted = next(iter(self._spaces)) if name is None else name
        if wanted not in self._spaces:
            raise BadSearch(
                f"{self._folder}: has no space {wanted!r}; it has {', '.join(self._spaces)}."
            )
        return self._spaces[wanted]

    def _chosen(self, kinds: Collection[str] | None) -> list[StoredGallery] | None:
        return None if kinds is None else [self._gallery(kind) for kind in kinds]

    def _read_heads(self, session: Session) -> None:
        self._version = version(session.connection())
        self._galleries = reading.galleries(session, self._version)
        self._spaces = reading.spaces(session, self._version)

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with put_into_words(self._folder), Session(self._engine) as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        """One transaction, which sees the galleries and spaces that others added meanwhile."""
        before = (self._version, self._galleries, self._spaces)
        with self._write_lock, put_into_words(self._folder):
            try:
                with Session(self._engine) as session, session.begin():
                    upgrade(session.connection())
                    self._read_heads(session)
                    yield session
            except BaseException:
                self._version, self._galleries, self._spaces = before
                raise
