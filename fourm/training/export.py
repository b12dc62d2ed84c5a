"""Writing model folders in the official format, with tensors stored small.

Matrices become int8 with one float32 scale a row, positions and codebooks half precision; vectors
stay as they are. `fourm.checkpoints.TensorFile` expands them again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from fourm.checkpoints.files import CONFIG, TENSORS
from fourm.errors import BadInput
from fourm.hub.sums import write_sums

SMALLEST_MATRIX = 4096
PRECISE = ("encoder.linear_in.", "decoder.linear_out.", "quantize.", "pos_emb", "register_tokens")
"""Parts of the names of tensors that are small and lose much as int8: stored as float16."""


@contextmanager
def replaced(folder: Path, most_bytes: int) -> Iterator[Path]:
    """A copy of a folder that takes its place at the end: it changes as a whole or not at all.

    Args:
        folder: need not exist yet.
        most_bytes: allowed size of all its files.

    Raises:
        BadInput: the copy is larger than that.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        changed = Path(scratch) / folder.name
        if folder.exists():
            shutil.copytree(folder, changed)
        yield changed
        write_sums(changed)
        size = folder_size(changed)
        if size > most_bytes:
            raise BadInput(
                f"{folder} would have {size} bytes, more than {most_bytes}: reduce the vocabulary"
            )
        if folder.exists():
            folder.rename(Path(scratch) / "before")
        changed.rename(folder)


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def write_checkpoint(folder: Path, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """Write `config.json` and `model.safetensors`, the tensors quantised."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CONFIG, config)
    tensors: dict[str, Tensor] = {}
    for name, tensor in state.items():
        tensors.update(quantised(name, tensor.detach().float()))
    save_tensors(folder / TENSORS, tensors, {key: str(value) for key, value in config.items()})


def quantised(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """A tensor as it is stored: itself, or int8 values and `<name>.scale`."""
    if tensor.dim() < 2 or tensor.numel() < SMALLEST_MATRIX:
        return {name: tensor.clone().contiguous()}
    if any(part in name for part in PRECISE):
        return {name: tensor.half().contiguous()}
    rows = tensor.flatten(1)
    scale = rows.abs().amax(1).clamp_min(1e-12) / 127
    small = (rows / scale[:, None]).round().to(torch.int8)
    return {name: small.view(tensor.shape).contiguous(), f"{name}.scale": scale}


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file that everyone may read."""
    save_file(dict(tensors), str(path), dict(metadata))
    path.chmod(0o644)  # the library makes it readable by its owner only


def stored_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors as they are stored, without expanding them, and the header's metadata."""
    with safe_open(str(path), framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
