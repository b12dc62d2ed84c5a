"""From what a user names to a folder on this disk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fourm.errors import ModelNotFound

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def resolve_source(source: str | Path, beside: Path | None = None) -> Path:
    """The folder of a model repository.

    Tried in this order: the path itself; `beside/<name>` and `beside/<owner>/<name>` (repositories
    kept side by side in one folder); the Hugging Face hub, for `owner/name` (its cache, then the
    network).

    Raises:
        ModelNotFound: nothing of the sort, or the hub cannot be reached.
    """
    folder = Path(source).expanduser()
    if folder.is_dir() or (folder.suffix == ".safetensors" and folder.is_file()):
        return folder
    if beside is not None:
        for candidate in (beside / folder.name, beside / str(source)):
            if candidate.is_dir():
                return candidate
    if not isinstance(source, str) or not _HUB_NAME.fullmatch(source):
        raise ModelNotFound(f"{source} is neither a folder nor a hub name of the form owner/name")
    return download(source)


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
            "download it elsewhere and give the folder's path"
        ) from None
    return Path(folder)
