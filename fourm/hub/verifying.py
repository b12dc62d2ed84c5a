"""Verifying the tensors of a folder: from headers alone, or by recorded hashes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fourm.checkpoints import Checkpoint, TensorFile
from fourm.checkpoints.files import TENSORS
from fourm.checkpoints.loading import match
from fourm.errors import CheckpointError, FourmError, TensorMismatch
from fourm.hub import text_tokenizer
from fourm.hub.cache import cache_folder
from fourm.hub.expected import expected, official_shapes
from fourm.hub.fetching import sha256_of
from fourm.hub.manifest import MANIFEST_FILE, Manifest
from fourm.hub.names import folder_of
from fourm.hub.official import TEXT_TOKENIZER
from fourm.hub.pulled import PULLED, Pulled, read_pulled
from fourm.hub.sources import is_snapshot, repository_of
from fourm.hub.sums import SUMS, sums_of


@dataclass(frozen=True)
class Verified:
    """The result for one folder or file.

    Attributes:
        path: the folder, or the file.
        kind: `transformer`, `tokenizer`, `language model`, `file`; `unknown` for a folder that
            could not be read.
        official: the official model or tokenizer whose tensors it was compared with, too.
        tensors, values: how many its header lists, and numbers in them.
        dtypes: dtype as stored -> number of tensors.
        size: of the tensor file (of the file), in bytes.
        hashed: how many files were compared with their recorded SHA-256.
        differences: sentences; empty if all is well.
    """

    path: Path
    kind: str
    official: str | None = None
    tensors: int = 0
    values: int = 0
    dtypes: Mapping[str, int] | None = None
    size: int = 0
    hashed: int = 0
    differences: tuple[str, ...] = ()


def verify(source: str, *, hashes: bool = False, progress: bool = False) -> list[Verified]:
    """Check a model or a tokenizer without loading it: a few kilobytes of each file are read.

    Names, shapes and dtypes of the tensors are held against those that the folder's config
    describes, and against the official ones if the folder has an official name. A model folder is
    checked part by part, a folder that was pulled into repository by repository.

    Args:
        source: a folder in the official format, one with a `bundle.json`, one that was pulled into,
            or a name that `load_model` takes, if it is on this disk.
        hashes: read the files whole and compare them with the hashes recorded when they were
            pulled.
        progress: show a progress bar on stderr while hashing.

    Raises:
        ModelNotFound: no folder, and nothing of that name on this disk.
        CheckpointError: a folder with nothing in it that could be checked.
    """
    folder = folder_of(source)
    if folder.name == TEXT_TOKENIZER:
        entry = read_pulled(folder.parent).get(text_tokenizer.REPOSITORY)
        return [_single(folder, entry or text_tokenizer.PINNED, hashes, progress)]
    if (folder / MANIFEST_FILE).is_file():
        manifest = Manifest.read(folder)
        return [_part(folder / part, hashes, progress) for part in manifest.parts()]
    record = folder / PULLED
    if record.is_file() and not (folder / TENSORS).is_file():
        found = []
        for repository, pulled in read_pulled(folder).items():
            inner = folder / repository.rpartition("/")[2]
            if list(pulled.files) == [TEXT_TOKENIZER]:
                found.append(_single(folder / TEXT_TOKENIZER, pulled, hashes, progress))
            else:
                found.append(_folder(inner, pulled, hashes, progress))
        return found
    if not (folder / TENSORS).is_file() and folder.suffix != ".safetensors":
        raise CheckpointError(
            f"{folder} is not a model: it has none of {TENSORS}, {MANIFEST_FILE} and {PULLED}"
        )
    return [_folder(folder, recorded(folder), hashes, progress)]


WORDS = "tokenizer.json"
"""The only file of a word-piece tokenizer."""


def _folder(folder: Path, pulled: Pulled | None, hashes: bool, progress: bool) -> Verified:
    try:
        checkpoint = Checkpoint.open(folder)
        with checkpoint.tensors() as file:
            found = _compared(folder, checkpoint, file)
    except (FourmError, OSError) as error:
        found = Verified(folder, "unknown", differences=(str(error),))
    hashed, wrong = _files(folder, pulled, hashes, progress)
    return _with(found, hashed, wrong)


def _part(path: Path, hashes: bool, progress: bool) -> Verified:
    """A part of a model folder, whose digests `SHA256SUMS` may list."""
    hashed, different = _listed(path, progress) if hashes else (0, [])
    words = path / WORDS
    if words.is_file() and not (path / TENSORS).is_file():
        found = Verified(words, "file", size=words.stat().st_size)
        return _with(found, hashed, different)
    if path.suffix != ".safetensors":
        found = _folder(path, None, False, progress)
        return _with(found, hashed, different)
    try:
        with TensorFile(path) as file:
            wrong = [trouble for name in file.shapes if (trouble := file.trouble(name))]
            found = _counted(path, "file", file)
    except (FourmError, OSError) as error:
        found, wrong = Verified(path, "file"), [str(error)]
    return _with(found, hashed, [*wrong, *different])


def _listed(path: Path, progress: bool) -> tuple[int, list[str]]:
    """How many files `SHA256SUMS` lists of a part, and what is unlike it."""
    sums = sums_of(path)
    if not sums:
        return 0, [f"{path} has no recorded hashes: it is not in a {SUMS}"]
    wrong = []
    for file, digest in sums.items():
        if not file.is_file():
            wrong.append(f"{file} is missing")
        elif sha256_of(file, file.name, progress=progress) != digest:
            wrong.append(f"{file} is damaged: its SHA-256 differs from the recorded one")
    return len(sums), wrong


def _single(path: Path, pulled: Pulled, hashes: bool, progress: bool) -> Verified:
    hashed, wrong = _files(path.parent, pulled, hashes, progress)
    size = path.stat().st_size if path.is_file() else 0
    return _with(Verified(path, "file", size=size), hashed, wrong)


def _with(found: Verified, hashed: int, wrong: list[str]) -> Verified:
    return replace(found, hashed=hashed, differences=(*found.differences, *wrong))


def _compared(folder: Path, checkpoint: Checkpoint, file: TensorFile) -> Verified:
    wanted = expected(checkpoint)
    differences: list[str] = []
    try:
        match(file, wanted.shapes, wanted.ignore, wanted.tied)
    except TensorMismatch as error:
        differences += [f"{name} is missing" for name in error.missing]
        differences += [f"{name} is not a tensor of this model" for name in error.unknown]
        differences += error.wrong
    name = repository_of(folder)
    official = official_shapes(name, checkpoint)
    if official is not None and official != wanted.shapes:
        differences += _unlike(wanted.shapes, official, f"{checkpoint.config_source.name}", name)
    return replace(
        _counted(folder, wanted.kind, file),
        official=name if official is not None else None,
        differences=tuple(differences),
    )


def _counted(path: Path, kind: str, file: TensorFile) -> Verified:
    return Verified(
        path=path,
        kind=kind,
        tensors=len(file.stored_dtypes),
        values=sum(math.prod(shape) for shape in file.shapes.values()),
        dtypes=dict(Counter(file.stored_dtypes.values())),
        size=file.path.stat().st_size,
    )


def _unlike(
    ours: Mapping[str, tuple[int, ...]],
    official: Mapping[str, tuple[int, ...]],
    config: str,
    name: str,
) -> list[str]:
    lines = [f"{config} describes no {key}, which {name} has" for key in official.keys() - ours]
    lines += [
        f"{config} describes {key}, which {name} does not have" for key in ours.keys() - official
    ]
    lines += [
        f"{config} describes {key} of shape {list(shape)}; it is {list(official[key])} in {name}"
        for key, shape in ours.items()
        if key in official and official[key] != shape
    ]
    return sorted(lines)


def recorded(folder: Path) -> Pulled | None:
    """What was recorded when a folder was pulled: next to it, or for the hub's cache."""
    folder = folder.absolute()
    snapshot = is_snapshot(folder)
    entries = read_pulled(cache_folder() if snapshot else folder.parent)
    for repository, pulled in entries.items():
        same = not snapshot or (
            folder.name == pulled.revision
            and folder.parent.parent.name == "models--" + repository.replace("/", "--")
        )
        if same and repository.rpartition("/")[2] == repository_of(folder):
            return pulled
    return None


def _files(
    folder: Path, pulled: Pulled | None, hashes: bool, progress: bool
) -> tuple[int, list[str]]:
    """How many files were hashed, and what is unlike the record."""
    if pulled is None:
        if hashes:
            return 0, [f"{folder} has no recorded hashes: `fourm models pull` did not write it"]
        return 0, []
    hashed, wrong = 0, []
    for name, about in pulled.files.items():
        path = folder / name
        if not path.is_file():
            wrong.append(f"{path} is missing")
        elif (size := path.stat().st_size) != about.size:
            wrong.append(f"{path} has {size:,} bytes, not the {about.size:,} that were pulled")
        elif hashes:
            hashed += 1
            if sha256_of(path, name, progress=progress) != about.sha256:
                wrong.append(f"{path} is damaged: its SHA-256 differs from the recorded one")
    return hashed, wrong
