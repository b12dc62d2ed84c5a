"""Downloading a model with the tokenizers that it needs."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fourm.checkpoints.files import CONFIG, TENSORS
from fourm.errors import DownloadFailed
from fourm.hub import text_tokenizer
from fourm.hub.availability import requirements
from fourm.hub.destinations import Destination, Folder, HubCache
from fourm.hub.fetching import TIMEOUT, Remote, fetch, first_line
from fourm.hub.names import find
from fourm.hub.official import TEXT_TOKENIZER, TEXT_TOKENIZER_NAME
from fourm.hub.pulled import Pulled, PulledFile, read_pulled, remember

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

KEPT_FILES = (CONFIG, TENSORS, "README.md", "LICENSE", "LICENSE.md", "LICENSE.txt")

_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class Fetched:
    """A repository that is complete.

    Attributes:
        repository: its name.
        path: its folder; the file, for the text tokenizer.
        revision: the commit.
        size: of its files, in bytes.
        note: what was done, in a few words.
    """

    repository: str
    path: Path
    revision: str
    size: int
    note: str


def pull(
    name: str,
    wanted: Sequence[str] = (),
    *,
    to: Path | None = None,
    revision: str | None = None,
    progress: bool = False,
) -> Iterator[Fetched]:
    """Download a model or a tokenizer by name, one repository after the other.

    Files that are complete are kept. A download that was stopped is resumed by the same call.

    Args:
        name: as `fourm.hub.names.find` takes it.
        wanted: what the model is to read and predict; see `fourm.hub.availability.requirements`.
        to: a folder that gets one folder a repository; None: the hub's cache, and the user's cache
            folder for the text tokenizer, where `load_model` finds them by name.
        revision: branch, tag or commit of what is named; tokenizers that come with a model are
            those of their main branch.
        progress: show progress bars on stderr.

    Yields:
        Each repository when it is complete; nothing for a model that comes with this package.

    Raises:
        ModelNotFound: no such name.
        BadInput: see `requirements`.
        DownloadFailed: no network and not cached, a broken connection, no space left, an unknown
            revision, or content that does not match its hash.
    """
    entry = find(name)
    if entry.repository is None:
        return
    required = requirements(entry, wanted)
    if revision is not None and entry.name == TEXT_TOKENIZER_NAME:
        raise DownloadFailed(
            f"{TEXT_TOKENIZER_NAME} is always at commit {text_tokenizer.COMMIT}; "
            "leave out the revision"
        )
    if to is not None and to.exists() and not to.is_dir():
        raise DownloadFailed(f"{to} is a file; expected a folder")
    destination: Destination = HubCache() if to is None else Folder(to)
    for repository in required.repositories:
        named = revision if repository == entry.repository else None
        yield _pull_repository(repository, named, destination, progress)
    if required.text_tokenizer:
        yield _pull_text_tokenizer(destination, progress)
    with contextlib.suppress(OSError):
        (destination.record / ".partial").rmdir()


def _pull_repository(
    repository: str, wanted: str | None, destination: Destination, progress: bool
) -> Fetched:
    before = read_pulled(destination.record).get(repository)
    try:
        info = _look_up(repository, wanted)
    except DownloadFailed:
        if before is None or wanted not in (None, before.revision):
            raise
        folder = destination.folder(repository, before.revision)
        if not all(_is_there(folder / name, file) for name, file in before.files.items()):
            raise
        return _fetched(repository, folder, before, "complete; the hub was not reached")
    revision = str(info.sha)
    folder = destination.folder(repository, revision)
    remotes = _remotes(repository, info)
    if (
        before is not None
        and before.revision == revision
        and set(before.files) == set(remotes)
        and all(_is_there(folder / name, file) for name, file in before.files.items())
    ):
        return _fetched(repository, folder, before, "up to date")
    files: dict[str, PulledFile] = {}
    for name, remote in remotes.items():
        place = destination.place(repository, name, remote.digest)
        files[name] = fetch(remote, place.target, place.partial, progress=progress)
    with _hub_errors(repository):
        destination.finish(repository, list(files), revision, wanted)
    pulled = Pulled(revision, files)
    remember(destination.record, repository, pulled)
    return _fetched(repository, folder, pulled, "downloaded")


def _pull_text_tokenizer(destination: Destination, progress: bool) -> Fetched:
    remote = text_tokenizer.remote_text_tokenizer()
    place = destination.single(TEXT_TOKENIZER, remote.digest)
    complete = place.target.is_file()
    fetch(remote, place.target, place.partial, progress=progress)
    pulled = text_tokenizer.PINNED
    if read_pulled(destination.record).get(text_tokenizer.REPOSITORY) != pulled:
        remember(destination.record, text_tokenizer.REPOSITORY, pulled)
    note = "up to date" if complete else "downloaded"
    return _fetched(text_tokenizer.REPOSITORY, place.target, pulled, note)


def _look_up(repository: str, revision: str | None) -> ModelInfo:
    from huggingface_hub import HfApi

    with _hub_errors(repository):
        return HfApi().model_info(
            repository, revision=revision, files_metadata=True, timeout=TIMEOUT
        )


def _remotes(repository: str, info: ModelInfo) -> dict[str, Remote]:
    """The files of a repository that are downloaded, small ones first."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils._headers import build_hf_headers

    remotes = {}
    for file in info.siblings or []:
        if file.rfilename not in KEPT_FILES:
            continue
        remotes[file.rfilename] = Remote(
            hf_hub_url(repository, file.rfilename, revision=info.sha),
            f"{repository.rpartition('/')[2]}/{file.rfilename}",
            file.size or 0,
            (file.lfs.sha256 if file.lfs else file.blob_id) or "",
            build_hf_headers(),
        )
    if TENSORS not in remotes:
        raise DownloadFailed(f"{repository} at {info.sha} has no {TENSORS}")
    return dict(sorted(remotes.items(), key=lambda item: item[1].size))


def _is_there(path: Path, file: PulledFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size


def _fetched(repository: str, path: Path, pulled: Pulled, note: str) -> Fetched:
    size = sum(file.size for file in pulled.files.values())
    return Fetched(repository, path, pulled.revision, size, note)


@contextlib.contextmanager
def _hub_errors(repository: str) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except HfHubHTTPError as error:
        raise DownloadFailed(f"the hub refused {repository} ({first_line(error)})") from None
    except Exception as error:  # the HTTP library's errors, under a name that changes, and others
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            raise
        raise DownloadFailed(
            f"{repository} cannot be looked up on the hub ({first_line(error)}); without a "
            "network, pull it on another machine with --to and copy that folder"
        ) from None
