"""One file over HTTP: streamed into a partial file, resumed, its hash checked, then put in place.

The hub's own client is not used for this: it starts a file from its beginning when it was stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fourm.errors import DownloadFailed
from fourm.hub.pulled import PulledFile

if TYPE_CHECKING:
    from tqdm import tqdm

TIMEOUT = 10.0  # seconds without an answer, or without a byte
ATTEMPTS = 3  # connections in a row that may break without a byte having come
BLOCK = 1 << 20

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Remote:
    """A file to download.

    Attributes:
        url: where it is.
        name: for messages and the progress bar.
        size: in bytes.
        digest: SHA-256 of its content, or git's SHA-1 of it as a blob; hexadecimal.
        headers: sent with the request, and not to other hosts that it is redirected to.
    """

    url: str
    name: str
    size: int
    digest: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not (_SHA256.fullmatch(self.digest) or _SHA1.fullmatch(self.digest)):
            raise DownloadFailed(f"{self.url} has no hash to check it by", where=self.name)


def fetch(remote: Remote, target: Path, partial: Path, *, progress: bool = False) -> PulledFile:
    """Download a file, unless it is complete; a wrong one is replaced.

    Args:
        remote: the file.
        target: where it goes; appears only when it is complete and its hash is right.
        partial: where it grows; on the disk of `target`. It stays when this is stopped, and the
            next call goes on from there.
        progress: show a progress bar on stderr.

    Raises:
        DownloadFailed: no connection, it broke too often, not enough room, another process is
            fetching the same file, or the hash does not match (nothing is kept then).
        OSError: the disk is full, or may not be written to.
    """
    from filelock import FileLock, Timeout

    if target.is_file() and target.stat().st_size == remote.size:
        known = _matching(target, remote, progress)
        if known is not None:
            return known
    partial.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(partial.with_name(partial.name + ".lock"), timeout=0)
    try:
        with lock:
            _stream(remote, partial, progress)
            found = _matching(partial, remote, progress)
            if found is None:
                partial.unlink()
                raise DownloadFailed(
                    f"the content from {remote.url} does not match its hash; it was deleted, "
                    "try again",
                    where=remote.name,
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(partial, target)
    except Timeout:
        raise DownloadFailed(f"{remote.name} is being downloaded by another process") from None
    with contextlib.suppress(OSError):
        Path(lock.lock_file).unlink()
    return found


def sha256_of(path: Path, name: str, *, progress: bool = False) -> str:
    """SHA-256 of a file's content, hexadecimal; with a progress bar for a file of some size."""
    (digest,) = _digests(path, name, progress, [hashlib.sha256()])
    return digest


def _matching(path: Path, remote: Remote, progress: bool) -> PulledFile | None:
    """The file's size and SHA-256 if its content is that of the remote file."""
    wanted = [hashlib.sha256()]
    if _SHA1.fullmatch(remote.digest):
        head = f"blob {path.stat().st_size}\0".encode()
        wanted.append(hashlib.sha1(head, usedforsecurity=False))
    digests = _digests(path, remote.name, progress, wanted)
    return PulledFile(remote.size, digests[0]) if digests[-1] == remote.digest else None


def _digests(path: Path, name: str, progress: bool, wanted: list[hashlib._Hash]) -> list[str]:
    size = path.stat().st_size
    shown = progress and size > 64 * BLOCK
    with path.open("rb") as file, _bar(f"checking {name}", size, 0, shown) as bar:
        while block := file.read(BLOCK):
            for digest in wanted:
                digest.update(block)
            bar.update(len(block))
    return [digest.hexdigest() for digest in wanted]


def _stream(remote: Remote, partial: Path, progress: bool) -> None:
    """Download the rest of the partial file, over as many connections as it takes."""
    have = partial.stat().st_size if partial.is_file() else 0
    if have > remote.size:
        partial.unlink()
        have = 0
    free = shutil.disk_usage(partial.parent).free
    if remote.size - have > free:
        raise DownloadFailed(
            f"{remote.name} needs {remote.size - have:,} more bytes in {partial.parent}, "
            f"where {free:,} are free"
        )
    failures = 0
    with partial.open("ab") as file, _bar(remote.name, remote.size, have, progress) as bar:
        while have < remote.size:
            before = have
            try:
                for block in _blocks(remote, have, file, bar):
                    file.write(block)
                    bar.update(len(block))
                reason = "the connection was closed"
            except _Broken as error:
                reason = str(error)
            have = file.tell()
            failures = 0 if have > before else failures + 1
            if have < remote.size and (failures == ATTEMPTS or (failures and not have)):
                raise DownloadFailed(
                    f"{remote.name} could not be downloaded from {remote.url} ({reason}); "
                    f"{have:,} of {remote.size:,} bytes are here; the same command resumes it"
                )


class _Broken(Exception):
    """A connection failed or was interrupted."""


def _blocks(remote: Remote, have: int, file: IO[bytes], bar: tqdm[None]) -> Iterator[bytes]:
    """The bytes from `have` on; from the start, after emptying the file, if the server says so."""
    from huggingface_hub import get_session

    headers = {**remote.headers, "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    left = remote.size - have
    try:
        with get_session().stream("GET", remote.url, headers=headers, timeout=TIMEOUT) as answer:
            if answer.status_code == 200 and have:
                file.truncate(0)
                bar.reset()
                left = remote.size
            elif answer.status_code not in (200, 206):
                raise DownloadFailed(
                    f"{remote.name} could not be downloaded: {remote.url} answers "
                    f"{answer.status_code} {answer.reason_phrase}"
                )
            for block in answer.iter_raw():
                if len(block) > left:
                    raise DownloadFailed(
                        f"{remote.url} sent more than the announced {remote.size:,} bytes",
                        where=remote.name,
                    )
                left -= len(block)
                yield block
    except (DownloadFailed, OSError):
        raise
    except Exception as error:  # the HTTP library's own, under a name that changes with the hub's
        raise _Broken(first_line(error)) from None


def first_line(error: Exception) -> str:
    """The message of a library's error, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _bar(name: str, size: int, have: int, shown: bool) -> tqdm[None]:
    """A progress bar on a terminal; none for small files."""
    from tqdm import tqdm

    return tqdm(
        desc=name,
        total=size,
        initial=have,
        unit="B",
        unit_scale=True,
        disable=None if shown and size > BLOCK else True,
    )
