"""From what a user names to a folder on this disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fourm.checkpoints.files import TENSORS
from fourm.errors import ModelNotFound
from fourm.hub.cache import cache_folder
from fourm.hub.pulled import read_pulled

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def resolve_source(source: str | Path) -> Path:
    """The folder of a model repository.

    A path is taken as it is; `owner/name` is the revision that was pulled, else that of the Hugging
    Face hub: its cache, then the network.

    Raises:
        ModelNotFound: nothing of the sort, or the hub cannot be reached.
    """
    folder = Path(source).expanduser()
    if folder.is_dir() or (folder.suffix == ".safetensors" and folder.is_file()):
        return folder
    if not isinstance(source, str) or not is_hub_name(source):
        raise ModelNotFound(f"{source} is neither a folder nor a hub name of the form owner/name")
    return _pulled_snapshot(source) or download(source)


def is_hub_name(source: str) -> bool:
    """Whether a text has the form `owner/name`."""
    return _HUB_NAME.fullmatch(source) is not None


def local_snapshot(repository: str) -> Path | None:
    """The folder of a hub repository in the hub's cache, or None; does not use the network.

    It is the revision that was pulled; else the cached `main`.

    Raises:
        ConfigError: the record of what was pulled cannot be read.
    """
    return _pulled_snapshot(repository) or _cached(repository, None)


def _pulled_snapshot(repository: str) -> Path | None:
    pulled = read_pulled(cache_folder()).get(repository)
    return _cached(repository, pulled.revision) if pulled is not None else None


def _cached(repository: str, revision: str | None) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, TENSORS, revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def is_cached(repository: str, file: str) -> bool:
    """Whether the hub's cache holds a file of a repository."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repository, file), str)


def is_snapshot(folder: Path) -> bool:
    """Whether a folder lies in the hub's cache, or in a copy of it."""
    return folder.absolute().parent.name == "snapshots"


def repository_of(folder: Path) -> str:
    """The name of the repository in a folder, without its owner: that of the folder, or what the
    hub's cache keeps it under."""
    if is_snapshot(folder):
        return folder.absolute().parent.parent.name.rpartition("--")[2]
    return folder.resolve().name


MODEL_FILES = ("*.json", "*.safetensors", "*.txt", "*.md")


def download(repository: str, patterns: Sequence[str] = MODEL_FILES) -> Path:
    """The local snapshot of a hub repository: configs, tokenizer and safetensors files only.

    Args:
        repository: `owner/name`.
        patterns: which files.

    Raises:
        ModelNotFound: it is not in the cache and cannot be downloaded.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(repository, allow_patterns=list(patterns))
    except Exception as error:  # the hub's client raises its own, httpx's and the system's errors
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelNotFound(
            f"{repository} is not a local folder and could not be downloaded ({reason[:160]}); "
            "without a network, download it elsewhere and give the folder's path"
        ) from None
    return Path(folder)
