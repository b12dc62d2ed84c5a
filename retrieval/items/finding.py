"""Which items a gallery has: files below a folder, or the lines of text files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from retrieval.errors import ItemError, UsageError
from retrieval.images import FoundItem, Listing, Unreadable, find_files, read_file
from retrieval.items.lines import lines_of
from retrieval.modalities import Source


def find_items(
    root: str | os.PathLike[str],
    source: Source,
    skip: Iterable[Path] = (),
    exclude: Sequence[str] = (),
) -> Listing:
    """List the items of a gallery, sorted by path.

    Args:
        root: a folder; or one text file, where items are lines.
        source: reads the items.
        skip: folders to pass over.
        exclude: patterns of names to leave out, as in `.gitignore`.

    Raises:
        UsageError: `root` does not exist, is not a folder (or such a file), or cannot be listed.
    """
    top = Path(root)
    if not source.items.lines or not top.is_file():
        files = find_files(top, source.items.suffixes, skip, exclude)
        return _lines(top, files, source.name) if source.items.lines else files
    if top.suffix.lower() not in source.items.suffixes:
        raise UsageError(
            f"expected a folder, or a {' or '.join(sorted(source.items.suffixes))} file", where=top
        )
    only = FoundItem.of(top.name, top.stat())
    return _lines(top.parent, Listing(items=[only]), source.name)


def _lines(folder: Path, files: Listing, name: str) -> Listing:
    listing = Listing(
        unreadable=files.unreadable,
        closed_folders=list(files.closed_folders),
        left_out=files.left_out,
    )
    for file in files.items:
        try:
            content = read_file(folder / file.path).content
            lines = list(lines_of(content, file, name))
        except ItemError as error:
            # What the file held before is not gone: nothing is known about it.
            listing.unreadable.append(Unreadable(file.path, str(error)))
            listing.closed_folders += [f"{file.path}:", f"{file.path}#"]
        else:
            listing.items += lines
    listing.items.sort(key=lambda found: found.path)
    listing.unreadable.sort(key=lambda entry: entry.path)
    return listing
