"""The user's cache folder, and the SHA-256 of large files that is remembered in it.

A query should not read 18 GB to know its model. A digest is remembered with the file's size, inode
and times, in `digests.json`. It is used only while all of these are the same: a file that was
written to, replaced or restored with its old date is read again. Without the record files are read
again, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

VARIABLE = "FOURM_CACHE"

RECORD = "digests.json"
FORMAT = 1
SMALLEST = 64 << 20
"""Bytes; smaller files are not worth remembering."""

SETTLED = 10.0
"""Seconds. A file that changed less than this ago may change again within a tick of its clock."""

_BLOCK = 1 << 20


def cache_folder() -> Path:
    """`$FOURM_CACHE`; else `fourm-retrieval` in `$XDG_CACHE_HOME`, or in `~/.cache`.

    It holds the text tokenizer, `pulled.json` and downloads that were interrupted; it may not exist
    yet. Weights lie in the hub's own cache.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fourm-retrieval"


def digest_of(path: Path) -> str:
    """SHA-256 (hex) of a file's content.

    Raises:
        OSError: it cannot be read.
    """
    path = path.resolve()
    status = path.stat()
    state = (status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return _digest(path, state)


@lru_cache(maxsize=256)
def _digest(path: Path, state: tuple[int, ...]) -> str:
    large = state[0] >= SMALLEST
    if large and (known := _remembered().get(str(path))) is not None and known[:-1] == [*state]:
        return str(known[-1])
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if large and time.time() - max(state[-2:]) / 1e9 > SETTLED:
        _remember(path, [*state, digest.hexdigest()])
    return digest.hexdigest()


def _remembered() -> dict[str, list[Any]]:
    """Path -> size, inode, times and digest; empty without a record, or with a damaged one."""
    try:
        record = json.loads((cache_folder() / RECORD).read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            return {}
        return {name: list(about) for name, about in record["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _remember(path: Path, about: list[Any]) -> None:
    """Best effort: of two processes at once one may lose, and a folder may be read-only."""
    folder = cache_folder()
    scratch = folder / f".{RECORD}.{os.getpid()}"
    files = {name: kept for name, kept in _remembered().items() if Path(name).is_file()}
    content = {"format": FORMAT, "files": {**files, str(path): about}}
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        os.replace(scratch, folder / RECORD)
