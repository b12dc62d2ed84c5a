"""Making the files of a new index, and removing those of an empty one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from indexes.database import CATALOGUE_NAME, create_database, translate_sqlite_errors
from indexes.errors import FolderTaken, NotAnIndex, from_os_error
from indexes.lock import LOCK_NAME, WriteLock
from indexes.recipe import Reading, Recipe


def create_index(folder: Path, root: Path, reading: Reading, recipes: Sequence[Recipe]) -> None:
    """Write an index without items into a new or empty folder; see `Index.create`.

    Raises:
        FolderTaken: the folder holds an index or anything else.
        ReadOnlyIndex: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise FolderTaken("this is a file; choose another name", where=folder) from error
    except OSError as error:
        raise from_os_error(folder, error) from error
    _refuse_taken(folder)
    with WriteLock(folder), translate_sqlite_errors(folder):
        _refuse_taken(folder)
        create_database(folder, root, reading, recipes)


def check_folder(folder: Path | str) -> None:
    """Check that a folder can have such a name.

    Raises:
        NotAnIndex: it has a NUL.
    """
    if "\0" in str(folder):
        raise NotAnIndex("the name of a folder must not contain a NUL", where=repr(str(folder)))


def remove_index(folder: Path) -> None:
    """Remove the files of a closed index, and its folder if nothing else is in it."""
    with WriteLock(folder):
        for file in [folder / CATALOGUE_NAME, *folder.glob("vectors-*.faiss")]:
            file.unlink(missing_ok=True)
    with suppress(OSError):  # another program uses the folder, or has put files into it
        (folder / LOCK_NAME).unlink(missing_ok=True)
        folder.rmdir()


def _refuse_taken(folder: Path) -> None:
    """Allow what a `create_index` that was killed leaves behind, and nothing else."""
    names = {entry.name for entry in folder.iterdir()}
    if CATALOGUE_NAME in names:
        raise FolderTaken(
            "this folder already has an index; open it or choose another", where=folder
        )
    allowed = {LOCK_NAME, f"{CATALOGUE_NAME}.partial", f"{CATALOGUE_NAME}.partial-journal"}
    if others := sorted(names - allowed):
        raise FolderTaken(
            f"this folder has other files ({others[0]!r} ...), and the index needs a folder of its "
            "own; choose a new name",
            where=folder,
        )
