"""`SHA256SUMS` of a model's folder: the digests of its files, as `sha256sum` writes them."""

from __future__ import annotations

import re
from pathlib import Path

from fourm.errors import CheckpointError
from fourm.hub.cache import digest_of

SUMS = "SHA256SUMS"

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def write_sums(folder: Path) -> None:
    """Write the digests of all files of a model's folder."""
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".md" and path.name != SUMS
    )
    lines = [f"{digest_of(folder / name)}  {name}\n" for name in names]
    if lines:
        (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_sums(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 (hex) of the files that `SHA256SUMS` lists; empty without it.

    Raises:
        CheckpointError: it cannot be read.
    """
    path = folder / SUMS
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot be read ({error})", where=path) from None
    found = [_LINE.fullmatch(line) for line in lines]
    return {match[2]: match[1] for match in found if match is not None}


def sums_of(path: Path) -> dict[Path, str]:
    """The listed files of a part, and their digests.

    Args:
        path: a folder or a file, at most two levels below the folder of the model.

    Raises:
        CheckpointError: as `read_sums`.
    """
    for folder in list(path.parents)[:2]:
        if sums := read_sums(folder):
            inside = path.relative_to(folder).as_posix()
            return {
                folder / name: digest
                for name, digest in sums.items()
                if name == inside or name.startswith(f"{inside}/")
            }
    return {}
