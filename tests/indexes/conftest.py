"""Small indexes whose vectors and file information follow from a number."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from indexes import FileInfo, Index, Recipe, Record

DIM = 16


def unit_vector(seed: int, dim: int = DIM) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
    return vector / np.linalg.norm(vector)


def indexed(number: int, **changes: object) -> Record:
    """`vector` is that of the space dinov2, `vectors` those of all spaces."""
    if "vector" in changes:
        vector = changes.pop("vector")
        changes["vectors"] = None if vector is None else {"dinov2": vector}
    facts: dict[str, object] = {
        "path": f"album/{number}.jpg",
        "size": 1000 + number,
        "mtime_ns": 1_600_000_000_000_000_000 + number,
        "content_hash": f"{number:064x}",
        "width": 640,
        "height": 480,
        "vectors": {"dinov2": unit_vector(number)},
    }
    return Record(**{**facts, **changes})


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        model="tiny", fingerprint="f00d", space="dinov2", dim=DIM, preprocessing="none at all"
    )


@pytest.fixture
def make_vector() -> Callable[..., np.ndarray]:
    return unit_vector


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return indexed


@pytest.fixture
def make_file_info() -> Callable[..., FileInfo]:
    def make(number: int, **changes: object) -> FileInfo:
        record = indexed(number)
        facts = {one.name: getattr(record, one.name) for one in fields(FileInfo)}
        return FileInfo(**{**facts, **changes})

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "photos.index"


@pytest.fixture
def index(folder: Path, recipe: Recipe, tmp_path: Path) -> Iterator[Index]:
    with Index.create(folder, root=tmp_path / "photos", recipe=recipe) as index:
        yield index


@pytest.fixture
def filled(index: Index) -> Index:
    """Twenty items, 0 to 19, with the ids 1 to 20."""
    index.write([indexed(number) for number in range(20)])
    return index


@pytest.fixture
def read_only(filled: Index) -> Iterator[Path]:
    """A copy of `filled` that this process may read and not write, even when root runs it."""
    if sys.platform == "win32":
        pytest.skip("no read-only folders on Windows")
    import faiss  # noqa: F401  (root's files may be out of reach once root is given up)

    filled.publish()
    outside = Path(tempfile.mkdtemp(prefix="fourm-read-only-"))
    copy = outside / "photos.index"
    shutil.copytree(filled.folder, copy)
    for entry in [outside, copy, *copy.iterdir()]:
        entry.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH | (0o111 if entry.is_dir() else 0))
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield copy
    finally:
        os.seteuid(user)
        for entry in (outside, copy):
            entry.chmod(0o755)
        shutil.rmtree(outside)
