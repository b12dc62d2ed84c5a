"""Blocks whose weights are mapped from the file for one call at a time."""

from __future__ import annotations

import copy
import os
from typing import Any

import torch
from torch import Tensor, nn

from fourm.checkpoints.files import Checkpoint
from fourm.errors import CheckpointError


class Streamed(nn.Module):
    """A block that holds no weights: each call maps them, runs, and lets them go.

    A large part that runs once in a batch need not lie in memory for the rest of it. The file's
    pages stay in the system's cache, so a call costs the mapping alone. For inference only.

    Args:
        block: built on `torch.device("meta")`.
        checkpoint: which holds its tensors, as `load_module` has checked.
        prefix: of their names in the file.
    """

    def __init__(self, block: nn.Module, checkpoint: Checkpoint, prefix: str) -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._names = {name: prefix + name for name in block.state_dict()}
        self._bare = (block,)  # in a tuple, so that it is not a child with parameters of its own
        self._loaded = _identity(checkpoint)

    def forward(self, *inputs: Tensor) -> Any:
        """What the block makes of the inputs.

        Raises:
            CheckpointError: the file is gone, or no longer the one that was loaded.
        """
        if _identity(self._checkpoint) != self._loaded:
            raise CheckpointError(
                f"{self._checkpoint.tensor_path} has changed since it was loaded: load it again"
            )
        with self._checkpoint.tensors() as file:
            stored = file.read(self._names.values())
        block = copy.deepcopy(self._bare[0])
        weights = {name: stored[source] for name, source in self._names.items()}
        block.load_state_dict(weights, strict=True, assign=True)
        with torch.no_grad():
            return block(*inputs)


def stream_blocks(blocks: nn.ModuleList, checkpoint: Checkpoint, prefix: str) -> None:
    """Replace every block of a list, in place, whose tensors are stored as float32.

    Others would have to be converted at every call.

    Args:
        blocks: built on `torch.device("meta")`.
        checkpoint: which holds their tensors.
        prefix: of the list's names in the file, with the dot.
    """
    with checkpoint.tensors() as file:
        dtypes = file.stored_dtypes
    for index, block in enumerate(blocks):
        inner = f"{prefix}{index}."
        if all(dtypes.get(inner + name) == "F32" for name in block.state_dict()):
            blocks[index] = Streamed(block, checkpoint, inner)


def _identity(checkpoint: Checkpoint) -> tuple[int, int, int]:
    path = checkpoint.tensor_path
    try:
        status = os.stat(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    return status.st_ino, status.st_size, status.st_mtime_ns
