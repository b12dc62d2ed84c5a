"""One checkpoint folder: its config, and its tensor file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fourm.checkpoints.config import Fields, parse_metadata
from fourm.checkpoints.tensors import TensorFile
from fourm.errors import CheckpointError, ConfigError
from fourm.regular_files import read_regular

CONFIG = "config.json"
TENSORS = "model.safetensors"

_MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class Checkpoint:
    """A model repository: a flat config, and the file that holds the tensors.

    Attributes:
        folder: where it lies.
        config: `config.json`, or the header of the tensor file where there is no `config.json`.
        config_source: the file that the config was read from.
        tensor_path: `model.safetensors`.
    """

    folder: Path
    config: dict[str, Any]
    config_source: Path
    tensor_path: Path

    @classmethod
    def open(cls, path: Path | str) -> Checkpoint:
        """Open a folder with `model.safetensors` (and `config.json`), or a .safetensors file.

        A folder's `config.json` goes before the header of its file, a file's own header before the
        `config.json` next to it.

        Raises:
            CheckpointError: a file is absent or damaged, or no config is found in either place.
            ConfigError: `config.json` is not a JSON object.
        """
        path = Path(path)
        folder, tensor_path = (
            (path.parent, path) if path.suffix == ".safetensors" else (path, path / TENSORS)
        )
        if not tensor_path.is_file():
            raise CheckpointError(f"{folder} is not a checkpoint folder: it has no {TENSORS}")
        config_path = folder / CONFIG
        if path == folder and config_path.is_file():
            return cls(folder, read_json_object(config_path), config_path, tensor_path)
        with TensorFile(tensor_path) as file:
            config = parse_metadata(file.metadata)
        config.pop("format", None)
        if not config and config_path.is_file():
            return cls(folder, read_json_object(config_path), config_path, tensor_path)
        if not config:
            raise CheckpointError(
                f"{folder} has neither {CONFIG} nor a config in the header of {tensor_path.name}"
            )
        return cls(folder, config, tensor_path, tensor_path)

    @property
    def fields(self) -> Fields:
        """The config with typed access."""
        return Fields(self.config, self.config_source)

    def tensors(self) -> TensorFile:
        """The tensor file, opened; use it in a `with` block."""
        return TensorFile(self.tensor_path)


def read_json_object(path: Path) -> dict[str, Any]:
    """A JSON file that holds one object.

    Raises:
        ConfigError: it cannot be read, is not JSON or is not an object.
    """
    try:
        value = json.loads(read_regular(path, _MOST_BYTES).decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path} must hold one JSON object")
    return value
