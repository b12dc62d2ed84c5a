"""Models and tokenizers by name: which exist, which are on this disk, and getting them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from fourm import BadInput
from fourm.hub.describing import describe
from fourm.hub.listing import ModelCard, list_models, list_tokenizers
from fourm.hub.official import spaces
from fourm.hub.pulling import Fetched, pull
from fourm.hub.verifying import Verified, verify
from fourm.modalities import MODALITIES
from retrieval.errors import UsageError
from retrieval.generation.options import output_named
from retrieval.modalities import find
from retrieval.paths import read_folder

__all__ = [
    "Fetched",
    "ModelCard",
    "Verified",
    "describe_model",
    "list_models",
    "list_tokenizers",
    "pull_model",
    "verify_model",
]


def pull_model(
    name: str,
    purposes: str | Iterable[str] | None = None,
    *,
    to: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    progress: bool = False,
) -> Iterator[Fetched]:
    """Download a model and the tokenizers that it needs, or one tokenizer.

    Yields each repository once it is complete. An interrupted download continues where it stopped.

    Args:
        name: a name of `list_models` or `list_tokenizers`, or an official repository.
        purposes: modalities and embedding spaces, e.g. "image,depth"; "all"; None:
            image,text,seg,dinov2. Only the tokenizers that they need are downloaded.
        to: a folder to download into; None: the caches.
        revision: branch, tag or commit; None: main.
        progress: show a progress bar on stderr.

    Raises:
        UsageError: an unknown modality or space.
        fourm.ModelNotFound: an unknown name.
        fourm.DownloadFailed: no network, no space on the disk, or a wrong hash.
    """
    given = [purposes] if isinstance(purposes, str) else list(purposes or ())
    wanted = [_full_name(part.strip()) for entry in given for part in entry.split(",")]
    folder = None if to is None else read_folder(to, "to")
    try:
        yield from pull(name, wanted, to=folder, revision=revision, progress=progress)
    except BadInput as error:
        raise UsageError(error, where="--for") from None


def verify_model(
    path: str | os.PathLike[str], *, hashes: bool = False, progress: bool = False
) -> list[Verified]:
    """Compare the tensors of a model or tokenizer with its config, without loading them.

    Args:
        path: a folder, or a name of `list_models` or `list_tokenizers`.
        hashes: also compare the recorded SHA-256 of every file.
        progress: show a progress bar on stderr.

    Returns:
        One entry for each folder or file; `differences` is empty where everything matches.

    Raises:
        fourm.ModelNotFound: nothing of that name on this disk.
        fourm.CheckpointError: files that cannot be read.
    """
    return verify(os.fspath(path), hashes=hashes, progress=progress)


def describe_model(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Describe a model or tokenizer: the keys of `fourm models info --json`.

    Args:
        path: a folder, or a name of `list_models` or `list_tokenizers`.

    Raises:
        fourm.ModelNotFound: nothing of that name.
        fourm.CheckpointError: files that cannot be read.
    """
    return describe(os.fspath(path))


def _full_name(name: str) -> str:
    """A modality by any of its names; any other name as it is."""
    asked = name.lower().replace("-", "_")
    known = asked in MODALITIES or asked in spaces() or find(name) is None
    return name if known else output_named(name)
