"""Layers whose weights are mapped from the file for one call at a time."""

from __future__ import annotations

import copy
import os
from typing import Any

import torch
from torch import Tensor, nn

from fourm.checkpoints.files import Checkpoint
from fourm.errors import CheckpointError


class Streamed(nn.Module):
    """A layer that holds no weights: each call maps them, runs, and unmaps them.

    A large part that runs once in a batch need not lie in memory for the rest of it. The file's
    pages stay in the system's cache, so a call costs the mapping alone. For inference only.

    Args:
        layer: built on `torch.device("meta")`.
        checkpoint: which holds its tensors, as `load_module` has checked.
        prefix: of their names in the file.
    """

    def __init__(self, layer: nn.Module, checkpoint: Checkpoint, prefix: str) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._names = {name: prefix + name for name in layer.state_dict()}
        self._bare = (layer,)  # in a tuple, so that it is not a child with parameters of its own
        self._loaded = _identity(checkpoint)

    def forward(self, *inputs: Tensor) -> Any:
        """What the layer makes of the inputs.

        Raises:
            CheckpointError: the file is gone, or no longer the one that was loaded.
        """
        if _identity(self._checkpoint) != self._loaded:
            raise CheckpointError(
                f"{self._checkpoint.tensor_path} has changed since it was loaded: load it again"
            )
        with self._checkpoint.tensors() as file:
            stored = file.read(self._names.values())
        layer = copy.deepcopy(self._bare[0])
        weights = {name: stored[source] for name, source in self._names.items()}
        layer.load_state_dict(weights, strict=True, assign=True)
        with torch.no_grad():
            return layer(*inputs)


def stream_linears(part: nn.Module, checkpoint: Checkpoint, prefix: str) -> None:
    """Replace every linear layer of a part, in place, whose tensors are stored as float32.

    Others would have to be converted at every call.

    Args:
        part: built on `torch.device("meta")`.
        checkpoint: which holds its tensors.
        prefix: of the part's names in the file, with the dot.
    """
    with checkpoint.tensors() as file:
        dtypes = file.stored_dtypes
    for parent_name, parent in list(part.named_modules()):
        for name, layer in list(parent.named_children()):
            inner = prefix + (f"{parent_name}." if parent_name else "") + f"{name}."
            kept = {dtypes.get(inner + tensor) for tensor in layer.state_dict()}
            if isinstance(layer, nn.Linear) and kept == {"F32"}:
                setattr(parent, name, Streamed(layer, checkpoint, inner))


def _identity(checkpoint: Checkpoint) -> tuple[int, int, int]:
    path = checkpoint.tensor_path
    try:
        status = os.stat(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    return status.st_ino, status.st_size, status.st_mtime_ns
