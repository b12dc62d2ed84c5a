"""Finding the weights of a teacher, reading them without running stored code, their digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm.checkpoints import TensorFile
from fourm.errors import CheckpointError, ModelNotFound, TensorMismatch
from fourm.hub.sources import download

if TYPE_CHECKING:
    import torch

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")

TeacherState = dict[str, "torch.Tensor"]


def find_weights(source: str | os.PathLike[str], patterns: Sequence[str]) -> Path:
    """The local file or folder of a source: a path, else a hub name.

    Args:
        source: path of a file or folder, or `owner/name`.
        patterns: the files to fetch from the hub.

    Raises:
        ModelNotFound: no such file, or the hub cannot be reached.
    """
    path = Path(source).expanduser()
    if not os.fspath(source):
        raise ModelNotFound("expected a file, a folder or a hub name, got an empty string")
    if path.exists():
        return path
    if path.is_absolute() or path.suffix in SUFFIXES or not isinstance(source, str):
        raise ModelNotFound("no such file or folder", where=source)
    return download(source, patterns)


def file_in(folder: Path, names: Sequence[str]) -> Path:
    """The first of these files that a folder has.

    Raises:
        CheckpointError: none of them.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise CheckpointError(f"{folder} has none of {', '.join(names)}")


def read_state(path: Path) -> TeacherState:
    """All tensors of a safetensors or torch file, by name, as float32.

    Raises:
        CheckpointError: it is damaged, holds other things than tensors, or would run code.
    """
    if path.suffix == ".safetensors":
        with TensorFile(path) as file:
            return file.read()
    return {name: tensor.float() for name, tensor in _read_torch(path).items()}


def _read_torch(path: Path) -> TeacherState:
    import torch

    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises its unpickler's, the zip reader's and its own errors
        if "TorchScript" in str(error):
            raise CheckpointError(
                f"{path} is a TorchScript program, which is not run; give a file of its "
                "tensors, such as open_clip_model.safetensors"
            ) from None
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f"{path} is not a torch file of tensors alone ({reason[:120]})"
        ) from None
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise CheckpointError(f"{path} holds no tensors by name")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise CheckpointError(f"{name!r} is not a tensor", where=path)
        if not value.is_floating_point():
            raise CheckpointError(f"{name} is stored as {value.dtype}, not as floats", where=path)
    return content


def digest(state: TeacherState) -> str:
    """SHA-256 (hex) over names, shapes and float32 values: the same for every file format."""
    total = hashlib.sha256()
    for name in sorted(state):
        values = state[name].contiguous().numpy()
        total.update(f"{name} {list(values.shape)}\n".encode())
        total.update(values.astype("<f4", copy=False).data)
    return total.hexdigest()


def fill(network: torch.nn.Module, state: TeacherState, path: Path) -> None:
    """Put a state into a network, which may be on the meta device, strictly.

    Raises:
        TensorMismatch: lists unknown, missing and wrongly shaped tensors.
    """
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    unknown = sorted(name for name in state if name not in wanted)
    missing = [name for name in wanted if name not in state]
    wrong = [
        f"{name} has shape {list(state[name].shape)}, not {list(shape)}"
        for name, shape in wanted.items()
        if name in state and tuple(state[name].shape) != shape
    ]
    if unknown or missing or wrong:
        raise TensorMismatch(path, unknown, missing, wrong)
    network.load_state_dict(state, strict=True, assign=True)


def build(make: Callable[[], Any], where: Path) -> Any:
    """The result of `make`; the error of a library about a config becomes one line.

    Raises:
        CheckpointError: `make` failed.
    """
    try:
        return make()
    except Exception as error:  # TypeErrors, RuntimeErrors and assertions of the two libraries
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f"no network can be built as it says ({reason[:160]})", where=where
        ) from None
