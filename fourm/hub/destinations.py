"""Destinations of downloads: the hub's cache, or a folder with repositories side by side."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from fourm.hub.cache import cache_folder


class Target(NamedTuple):
    """The path of a file, and that of the partial file until it is complete."""

    target: Path
    partial: Path


class Destination(Protocol):
    """A place for repositories and for single files.

    Attributes:
        record: the folder with the `pulled.json` of its content.
    """

    record: Path

    def place(self, repository: str, name: str, digest: str) -> Target:
        """The target of a repository's file; the digest distinguishes its revisions."""

    def single(self, name: str, digest: str) -> Target:
        """The target of a file that is not from a hub repository."""

    def folder(self, repository: str, revision: str) -> Path:
        """The folder of a repository's files after `finish`."""

    def finish(self, repository: str, names: list[str], revision: str, wanted: str | None) -> None:
        """Make the files available there; `wanted` is the name of the revision as given."""


class HubCache:
    """The cache of the Hugging Face hub, which `load_model` looks into by the official names.

    Files are put among its blobs; the hub's client itself then links them into the snapshot.
    """

    def __init__(self) -> None:
        self.record = cache_folder()

    def place(self, repository: str, name: str, digest: str) -> Target:
        blobs = self._repository(repository) / "blobs"
        return Target(blobs / digest, blobs / f"{digest}.partial")

    def single(self, name: str, digest: str) -> Target:
        return Target(self.record / name, self.record / "partial" / digest)

    def folder(self, repository: str, revision: str) -> Path:
        return self._repository(repository) / "snapshots" / revision

    def finish(self, repository: str, names: list[str], revision: str, wanted: str | None) -> None:
        from huggingface_hub import hf_hub_download

        for name in names:
            hf_hub_download(repository, name, revision=revision)
        # Under the revision's name as well, so that other programs find it without a network.
        hf_hub_download(repository, names[0], revision=wanted)

    def _repository(self, repository: str) -> Path:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        folder = repo_folder_name(repo_id=repository, repo_type="model")
        return Path(constants.HF_HUB_CACHE) / folder


class Folder:
    """A folder of the user's, with repositories side by side, for `--model FOLDER/4M-21_B`.

    Args:
        path: made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.record = path

    def place(self, repository: str, name: str, digest: str) -> Target:
        return Target(self.folder(repository) / name, self._partial(digest))

    def single(self, name: str, digest: str) -> Target:
        return Target(self.record / name, self._partial(digest))

    def folder(self, repository: str, revision: str = "") -> Path:
        return self.record / repository.rpartition("/")[2]

    def finish(self, repository: str, names: list[str], revision: str, wanted: str | None) -> None:
        pass

    def _partial(self, digest: str) -> Path:
        return self.record / ".partial" / digest
