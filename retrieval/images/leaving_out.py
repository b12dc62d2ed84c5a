"""What is left out of a gallery by its name, its ending, or a pattern of the user."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from fourm.regular_files import read_regular
from retrieval.errors import UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".fourmignore"
_SYSTEM_FOLDERS = frozenset(
    name.casefold()
    for name in (
        *("@eaDir", "@Recycle", "#recycle", "#snapshot", ".thumbnails"),
        *("$RECYCLE.BIN", "System Volume Information", "lost+found"),
    )
)
_LARGEST_IGNORE_FILE = 1 << 20


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that a gallery does not contain.

    Attributes:
        path: relative to the root; that of a folder ends in `/`.
        kind: under which it is counted, e.g. `.CR2`, `@eaDir`, `excluded`.
        reason: why it is left out.
    """

    path: str
    kind: str
    reason: str


def count_kinds(entries: Iterable[LeftOut]) -> dict[str, int]:
    """Kind -> number of entries, the most frequent kinds first.

    Endings are counted without regard to case, under their first spelling.
    """
    spelling: dict[str, str] = {}
    counts = Counter(spelling.setdefault(entry.kind.casefold(), entry.kind) for entry in entries)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


class Exclusion:
    """The names and patterns that are left out.

    Patterns are those of `.gitignore`, whichever way accents are encoded (NFC or NFD). Those of a
    `.fourmignore` hold for its folder; where several decide about a name, the nearest to it counts.
    `exclude` comes before all of them.

    Raises:
        UsageError: a pattern that cannot be read.
    """

    def __init__(self, top: Path, exclude: Sequence[str] = ()) -> None:
        self._top = top
        self._exclude = _spec(exclude, "--exclude") if exclude else None
        self._by_folder: dict[str, tuple[tuple[str, GitIgnoreSpec], ...]] = {}

    def enter(self, folder: str, has_file: bool) -> None:
        """Come to a folder (`""`, or ending in `/`), after its parent.

        Args:
            folder: relative to the root.
            has_file: whether it has a `.fourmignore`, which is read.

        Raises:
            UsageError: it cannot be read.
        """
        parent = folder.rstrip("/").rpartition("/")[0]
        above = self._by_folder.get(f"{parent}/" if parent else "", ())
        if has_file:
            file = self._top / folder / IGNORE_FILE
            above = ((folder, _spec(_lines_of(file), str(file))), *above)
        self._by_folder[folder] = above

    def hides(self, name: str) -> bool:
        """Whether a file of that name is left out without being looked at."""
        return name.startswith(".")

    def folder(self, parent: str, name: str) -> LeftOut | None:
        """Whether the folder `name` in `parent` is left out."""
        path = f"{parent}{name}/"
        if name.casefold() in _SYSTEM_FOLDERS:
            return LeftOut(path, name, "a folder of the system, or of thumbnails")
        return self._hidden(path, name) or self._by_pattern(parent, path)

    def file(self, parent: str, name: str, has_suffix: bool) -> LeftOut | None:
        """Whether the file `name` in `parent` is left out."""
        if name == IGNORE_FILE:
            return LeftOut(parent + name, "", "")
        path = parent + name
        if (hidden := self._hidden(path, name)) is not None:
            return hidden
        if not has_suffix:
            ending = os.path.splitext(name)[1]
            reason = f"not read: {ending}" if ending else "not read: no ending"
            return LeftOut(path, ending or "without ending", reason)
        return self._by_pattern(parent, path)

    def _hidden(self, path: str, name: str) -> LeftOut | None:
        if not name.startswith("."):
            return None
        return LeftOut(path, "hidden", "its name begins with a dot")

    def _by_pattern(self, parent: str, path: str) -> LeftOut | None:
        name = normalize("NFC", path)
        if self._exclude is not None and self._exclude.check_file(name).include:
            return LeftOut(path, "excluded", "excluded by --exclude")
        for folder, spec in self._by_folder.get(parent, ()):
            included = spec.check_file(name[len(normalize("NFC", folder)) :]).include
            if included is not None:
                reason = f"excluded by {folder}{IGNORE_FILE}"
                return LeftOut(path, "excluded", reason) if included else None
        return None


def _lines_of(file: Path) -> list[str]:
    try:
        content = read_regular(file, _LARGEST_IGNORE_FILE)
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})", where=file) from None
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").splitlines()


def _spec(lines: Iterable[str], where: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(normalize("NFC", line) for line in lines)
    except ValueError as error:
        raise UsageError(str(error), where=where) from None
