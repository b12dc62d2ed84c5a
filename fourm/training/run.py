"""The folder of one training run, and where the material for it lies."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
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
        folder: what the stages hand on to each other.
        data: folder with `flickr8k/`, `coco_panoptic/`, `ccp/` and `camvid/`.
    """

    folder: Path
    data: Path

    def path(self, name: str) -> Path:
        """Where a stage's result lies; its folder is made if need be."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def save(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        """Write tensors as `<name>.safetensors`, whole or not at all."""
        from safetensors.torch import save_file

        path = self.path(f"{name}.safetensors")
        partial = path.with_suffix(".partial")
        save_file({key: value.contiguous() for key, value in tensors.items()}, str(partial))
        os.replace(partial, path)

    def load(self, name: str) -> dict[str, Tensor]:
        """Read what `save` wrote.

        Raises:
            CheckpointError: the stage that makes it has not been run.
        """
        from safetensors.torch import load_file

        path = self.path(f"{name}.safetensors")
        if not path.is_file():
            raise CheckpointError(f"{path} does not exist: run the stage that makes it first")
        loaded: dict[str, Tensor] = load_file(str(path))
        return loaded

    def has(self, name: str) -> bool:
        """Whether a stage's tensors are there already."""
        return self.path(f"{name}.safetensors").is_file()

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file into the run's folder, whole or not at all."""
        path = self.path(name)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)


def seeded(seed: int) -> torch.Generator:
    """A generator of its own for each stage, so that stages can be repeated alone."""
    return torch.Generator().manual_seed(seed)
