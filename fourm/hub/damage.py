"""Whether the files of a model are whole: cut short, damaged, or not the recorded ones."""

from __future__ import annotations

from pathlib import Path

from fourm.checkpoints import TensorFile
from fourm.checkpoints.files import TENSORS
from fourm.errors import CheckpointError
from fourm.hub.cache import digest_of
from fourm.hub.manifest import PART_FILES, Manifest
from fourm.hub.sums import SUMS, sums_of
from fourm.hub.verifying import recorded


def require_intact(manifest: Manifest) -> None:
    """Check the files of all parts of a model.

    The header of each tensor file has to fit its length. Files that `SHA256SUMS` lists, or that
    were recorded when they were pulled, must have the content that they had then.

    Raises:
        CheckpointError: a file is missing, cut short or damaged.
    """
    for part in manifest.parts():
        path = manifest.locate(part)
        for file in _tensor_files(path):
            with TensorFile(file):
                pass
        for file, digest in _digests(path).items():
            if not file.is_file():
                raise CheckpointError("is missing; copy or download it again", where=file)
            if digest_of(file) != digest:
                raise CheckpointError(
                    "is damaged: its SHA-256 is not the recorded one; copy or download it again "
                    f"(if you changed it, update or delete {SUMS} or pulled.json)",
                    where=file,
                )


def _tensor_files(path: Path) -> list[Path]:
    files = [path / TENSORS] if path.is_dir() else [path]
    return [file for file in files if file.suffix == ".safetensors" and file.exists()]


def _digests(path: Path) -> dict[Path, str]:
    """The files of a part whose digests were recorded."""
    if sums := sums_of(path):
        return sums
    folder = path if path.is_dir() else path.parent
    pulled = recorded(folder)
    if pulled is None:
        return {}
    return {
        folder / name: about.sha256 for name, about in pulled.files.items() if name in PART_FILES
    }
