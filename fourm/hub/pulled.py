"""`pulled.json`: which revisions of which repositories were fetched, and their files' hashes.

One lies in the user's cache folder, for what is in the hub's cache, and one in every folder into
which models were pulled. It is written when files are complete, and trusted no further than the
files are there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourm.checkpoints.config import Fields
from fourm.checkpoints.files import read_json_object
from fourm.errors import ConfigError

PULLED = "pulled.json"
FORMAT = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class PulledFile:
    """A complete file.

    Attributes:
        size: in bytes.
        sha256: of its content, hexadecimal.
    """

    size: int
    sha256: str


@dataclass(frozen=True)
class Pulled:
    """A repository of which files were fetched.

    Attributes:
        revision: the commit that the wanted revision stood for.
        files: name -> size and hash.
    """

    revision: str
    files: Mapping[str, PulledFile]


def read_pulled(folder: Path) -> dict[str, Pulled]:
    """Repository -> what was fetched of it; empty where nothing was.

    Raises:
        ConfigError: the file is there, but is not what `remember` writes.
    """
    path = folder / PULLED
    if not path.is_file():
        return {}
    try:
        return _read(path)
    except ConfigError as error:
        raise ConfigError(
            f"{error}; delete the file: what is complete is kept when it is pulled again"
        ) from None


def _read(path: Path) -> dict[str, Pulled]:
    fields = Fields(read_json_object(path), path)
    if (version := fields.integer("format", low=1)) != FORMAT:
        raise ConfigError(
            f"format {version} is newer than this program, which reads {FORMAT}", where=path
        )
    return {name: _entry(entry, name, path) for name, entry in fields.mapping("pulled").items()}


def remember(folder: Path, repository: str, pulled: Pulled) -> None:
    """Write the entry of a repository into the folder's file.

    Raises:
        ConfigError: the file that is there cannot be read.
        OSError: it cannot be written.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{PULLED}.lock"):
        entries = {**read_pulled(folder), repository: pulled}
        content = {
            "format": FORMAT,
            "pulled": {
                name: {
                    "revision": entry.revision,
                    "files": {file: vars(about) for file, about in sorted(entry.files.items())},
                }
                for name, entry in sorted(entries.items())
            },
        }
        scratch = folder / f".{PULLED}.new"
        scratch.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        os.replace(scratch, folder / PULLED)


def _entry(entry: Any, name: str, path: Path) -> Pulled:
    if not isinstance(entry, dict) or not _REPOSITORY.fullmatch(name):
        raise ConfigError(f"{name!r} must be a repository, with an object", where=path)
    fields = Fields(entry, f"{path}: {name}")
    files = {}
    for file, about in fields.mapping("files").items():
        if not isinstance(about, dict) or not _FILE.fullmatch(file):
            raise fields.error("files", "an object of file names with objects", {file: about})
        inner = Fields(about, f"{path}: {name}: {file}")
        digest = inner.text("sha256")
        if not _SHA256.fullmatch(digest):
            raise inner.error("sha256", "64 hexadecimal digits", digest)
        files[file] = PulledFile(inner.integer("size", high=1 << 60), digest)
    return Pulled(fields.text("revision"), files)
