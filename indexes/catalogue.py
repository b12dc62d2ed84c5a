"""The catalogue of one index, open: its contents and its transactions."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from indexes import queries
from indexes.database import CATALOGUE_NAME, open_database, translate_sqlite_errors
from indexes.errors import BadSearch, ClosedIndex, ReplacedIndex, from_os_error
from indexes.forking import FORK_GATE
from indexes.lock import WriteLock
from indexes.migration import upgrade, version
from indexes.queries import StoredGallery, StoredSpace
from indexes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Contents:
    """The galleries and spaces of a catalogue, as one transaction sees them.

    Attributes:
        folder: of the index.
        version: format version of the catalogue.
        index_id: random id of the index; None before format 3.
        galleries: modality -> gallery, the first gallery first.
        spaces: name -> space, the first space first.
    """

    folder: Path
    version: int
    index_id: str | None
    galleries: Mapping[str, StoredGallery]
    spaces: Mapping[str, StoredSpace]

    @classmethod
    def read(cls, session: Session, folder: Path) -> Contents:
        """What the session sees."""
        number = version(session.connection())
        return cls(
            folder,
            number,
            queries.index_id(session, number),
            queries.galleries(session, number),
            queries.spaces(session, number),
        )

    @property
    def recipes(self) -> dict[str, Recipe]:
        """Space -> how its vectors were made."""
        return {name: space.recipe for name, space in self.spaces.items()}

    @property
    def dims(self) -> dict[str, int]:
        """Space -> length of its vectors."""
        return {name: space.recipe.dim for name, space in self.spaces.items()}

    @property
    def space_ids(self) -> dict[str, int]:
        """Space -> its id in the catalogue."""
        return {name: space.id for name, space in self.spaces.items()}

    def gallery(self, modality: str | None) -> StoredGallery:
        """A gallery; None: the first.

        Raises:
            BadSearch: the index has no gallery of that modality.
        """
        wanted = next(iter(self.galleries)) if modality is None else modality
        if wanted not in self.galleries:
            raise BadSearch(
                f"no gallery of modality {wanted!r}; this index has {', '.join(self.galleries)}",
                where=self.folder,
            )
        return self.galleries[wanted]

    def space(self, name: str | None) -> StoredSpace:
        """A space; None: the first.

        Raises:
            BadSearch: the index has no such space.
        """
        wanted = next(iter(self.spaces)) if name is None else name
        if wanted not in self.spaces:
            raise BadSearch(
                f"no space {wanted!r}; this index has {', '.join(self.spaces)}", where=self.folder
            )
        return self.spaces[wanted]

    def chosen(self, modalities: Collection[str] | None) -> list[StoredGallery] | None:
        """The galleries of those modalities; None stays None, for all.

        Raises:
            BadSearch: the index has no gallery of one of them.
        """
        return None if modalities is None else [self.gallery(name) for name in modalities]


class Catalogue:
    """Transactions on the catalogue in `folder`.

    Safe to use from several threads. A forked child opens connections of its own. If the file is
    replaced by one of the same galleries and spaces, such as a copy of it, reading goes on there.

    Args:
        folder: of the index.
        on_reopen: called after a replaced file was opened.

    Attributes:
        contents: the galleries and spaces; read again when another process has written.
        lock: the right to write; a reentrant context manager.
        absolute_folder: the folder, wherever the process has gone since.

    Raises:
        NotAnIndex, NewerFormat, DamagedIndex: see `indexes.database.open_database`.
    """

    def __init__(self, folder: Path, on_reopen: Callable[[], None]) -> None:
        self.folder = folder
        self._on_reopen = on_reopen
        self._reopening = threading.Lock()
        self.lock = WriteLock(folder)
        self.absolute_folder = folder.absolute()
        self._closed = False
        self._pid = os.getpid()
        self._engine = open_database(folder)
        try:
            self._seen = self._state_of_file()
            with (
                FORK_GATE.transaction(),
                translate_sqlite_errors(folder),
                Session(self._engine) as session,
            ):
                self._contents = Contents.read(session, folder)
        except BaseException:
            self.close()
            raise

    @property
    def contents(self) -> Contents:
        """The galleries and spaces, as of the last commit."""
        if not self._closed and self._state_of_file() != self._seen:
            with self._session():
                pass
        return self._contents

    def close(self) -> None:
        """Close the connections."""
        self._closed = True
        self._engine.dispose(close=self._pid == os.getpid())

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One transaction that reads: all of its queries see the same state."""
        with self._session() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[tuple[Session, Contents]]:
        """One transaction that writes, with the contents as it sees them.

        A catalogue of an older format is upgraded first. The transaction is rolled back by an
        exception, and `contents` then stays as it was.

        Raises:
            IndexBusy: the write lock is held elsewhere.
            ReadOnlyIndex: the folder is read-only.
            ReplacedIndex: another index has taken its place since it was opened.
        """
        if not self._closed and self._seen[:2] != self._state_of_file()[:2]:
            raise ReplacedIndex(self.folder, False)
        index_id = self._contents.index_id
        with self.lock, self._session(writing=True) as session:
            with session.begin():
                upgrade(session.connection())
                before = Contents.read(session, self.folder)
                if index_id not in (None, before.index_id):
                    raise ReplacedIndex(self.folder, False)
                yield session, before
                contents = Contents.read(session, self.folder)
            self._contents, self._seen = contents, self._state_of_file()

    @contextmanager
    def _session(self, writing: bool = False) -> Iterator[Session]:
        if self._closed:
            raise ClosedIndex(self.folder)
        with FORK_GATE.transaction(), translate_sqlite_errors(self.folder, writing):
            self._follow()
            if self._pid != os.getpid():
                # SQLite connections do not survive a fork. Those of the parent are left open.
                self._engine.dispose(close=False)
                self._engine = open_database(self.absolute_folder)
                self._pid = os.getpid()
            with Session(self._engine) as session:
                yield session

    def _state_of_file(self) -> tuple[int, int, int, int]:
        """Device and inode of the catalogue, which no other file has, its time and its size.

        The file is not opened: closing it would drop the locks of SQLite.
        """
        try:
            status = os.stat(self.absolute_folder / CATALOGUE_NAME)
        except FileNotFoundError:
            raise ReplacedIndex(self.folder, True) from None
        except OSError as error:
            raise from_os_error(self.folder, error) from error
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _follow(self) -> None:
        """Open the file anew if it was replaced, or written by something else than this object.

        SQLite itself does not notice that another file was copied over its own.

        Raises:
            ReplacedIndex: there is none, or it holds other galleries or spaces.
        """
        with self._reopening:
            now = self._state_of_file()
            if now == self._seen:
                return
            if now[:2] != self._seen[:2]:
                open_database(self.absolute_folder).dispose()  # checks that it is an index
            self._engine.dispose(close=self._pid == os.getpid())
            self._pid = os.getpid()
            before = self._contents
            try:
                with Session(self._engine) as session:
                    contents = Contents.read(session, self.folder)
                same = now[:2] == self._seen[:2] and before.index_id in (None, contents.index_id)
                kept = (contents.galleries, contents.spaces) == (before.galleries, before.spaces)
                if not same and not kept:
                    raise ReplacedIndex(self.folder, False)
            except BaseException:
                # The connections are to the other file; the index itself may come back.
                self._engine.dispose()
                raise
            self._seen = now
            self._contents = contents
            if not same:
                self._on_reopen()
