"""The folder of a training run, in which each stage finds what earlier ones wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fourm.errors import CheckpointError


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        folder: where the stages write; it is created when it is needed.
    """

    folder: Path

    def path(self, name: str) -> Path:
        """Path of a file of the run; its folder is created if necessary."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def save(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Write tensors as `<name>.safetensors`, atomically."""
        from safetensors.torch import save_file

        path = self.path(f"{name}.safetensors")
        partial = path.with_suffix(".partial")
        save_file({key: value.contiguous() for key, value in tensors.items()}, str(partial))
        os.replace(partial, path)

    def load(self, name: str, only: Collection[str] = ()) -> dict[str, Tensor]:
        """Read the tensors that `save` wrote.

        Args:
            name: given to `save`.
            only: tensors to read, where they exist; default: all.

        Raises:
            CheckpointError: the file does not exist.
        """
        from safetensors import safe_open

        path = self.path(f"{name}.safetensors")
        if not path.is_file():
            raise CheckpointError(f"{path} does not exist: run the stage that writes it first")
        with safe_open(str(path), framework="pt") as file:
            names = set(file.keys())
            return {key: file.get_tensor(key) for key in sorted(names & set(only) or names)}

    def has(self, name: str) -> bool:
        """Whether `save` has written tensors under this name."""
        return self.path(f"{name}.safetensors").is_file()

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file, atomically."""
        path = self.path(name)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)


def seeded(seed: int) -> torch.Generator:
    """A CPU generator with this seed."""
    return torch.Generator().manual_seed(seed)
