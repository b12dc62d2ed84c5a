"""Files that results are written to: checked before the work, so that none of it is lost."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.errors import UsageError

if TYPE_CHECKING:
    from indexes import Index


def check_output(output: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse an output that cannot be written, or that would replace an input of the query.

    Raises:
        UsageError: it is a folder, its folder does not exist, or it is one of the inputs.
    """
    if output is None:
        return
    if output.is_dir():
        raise UsageError("is a folder; give the name of a file", where=output)
    if not output.parent.is_dir():
        raise UsageError(f"the folder {output.parent} does not exist", where=output)
    for entry in inputs:
        if entry is not None and output.exists() and entry.exists() and entry.samefile(output):
            raise UsageError("is an input of this query and would be replaced", where=output)


def check_folder(folder: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse a folder for several files that is a file, or from which an input would be replaced.

    Raises:
        UsageError: as said.
    """
    if folder is None or not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError("is a file; give the name of a folder", where=folder)
    given = [entry for entry in inputs if entry is not None and entry.exists()]
    for output in _top_files(folder):
        check_output(output, given)


def check_apart(outputs: Iterable[Path | None]) -> None:
    """Refuse outputs of which one would replace another.

    Raises:
        UsageError: two of them are the same file.
    """
    seen: set[Path] = set()
    for output in outputs:
        if output is None:
            continue
        if output.resolve() in seen:
            raise UsageError("is to be written twice; give two names", where=output)
        seen.add(output.resolve())


def keep_stored(output: Path | None, index: Index) -> None:
    """Refuse an output that would damage an index, or replace a picture of its galleries.

    Raises:
        UsageError: it lies in the folder of the index, or is one of the items.
    """
    if output is None:
        return
    if output.resolve().is_relative_to(index.folder.resolve()):
        raise UsageError("lies in the index; write it to another folder", where=output)
    if output.is_dir():
        for file in _top_files(output):
            keep_stored(file, index)
    if not output.is_file():
        return
    for kind, root in index.roots.items():
        top = root.parent if root.is_file() else root
        names = {
            _below(Path(os.path.abspath(output)), top),
            _below(output.resolve(), top.resolve()),
        }
        if any(
            path == name or path.startswith((f"{name}:", f"{name}#"))
            for name in names - {None}
            for path in index.snapshot(modality=kind)
        ):
            raise UsageError("is in the gallery of this index and would be replaced", where=output)


def _top_files(folder: Path) -> list[Path]:
    """What `--show-query` writes beside folders of its own."""
    return [folder / "sheet.png", folder / "words.json"]


def _below(path: Path, top: Path) -> str | None:
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None
