"""Reading tensors from one safetensors file, by name, expanding stored low precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fourm.errors import CheckpointError

if TYPE_CHECKING:
    import torch

FLOATS = ("F64", "F32", "F16", "BF16")
SCALE = ".scale"
MAPPED = 64 << 20
"""Bytes: how much of a file may stay mapped while tensors converted from it are in memory."""


class TensorFile:
    """A safetensors file, opened for reading single tensors.

    Opening reads the header alone; the `safetensors` library checks every offset and length in it
    against the file's size. A tensor stored as int8 with a `<name>.scale` (one float a row) is one
    float tensor to the reader: `int8 * scale`, row by row.

    Args:
        path: the file.

    Raises:
        CheckpointError: the file is absent, cut short or not safetensors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _open(path)
        self.metadata: Mapping[str, str] = self._file.metadata() or {}
        self._dtypes: dict[str, str] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        for name in self._file.keys():  # noqa: SIM118 - not a dict
            view = self._file.get_slice(name)
            self._dtypes[name] = str(view.get_dtype())
            shapes[name] = tuple(view.get_shape())
        self._stored_shapes = shapes
        scales = {
            name + SCALE
            for name, dtype in self._dtypes.items()
            if dtype == "I8" and name + SCALE in shapes
        }
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: shape for name, shape in shapes.items() if name not in scales
        }

    @property
    def stored_dtypes(self) -> Mapping[str, str]:
        """Name -> dtype as the header has it (`F32`, `BF16` ...), of everything that is stored."""
        return self._dtypes

    def __enter__(self) -> TensorFile:
        self._file.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.__exit__(kind, error, trace)

    def trouble(self, name: str) -> str | None:
        """What is wrong with how a tensor is stored, or None; judged from the header alone."""
        dtype = self._dtypes[name]
        if dtype in FLOATS:
            return None
        if dtype != "I8":
            return f"{name} is stored as {dtype}, not as floats"
        shape = self._stored_shapes[name]
        scale = self._stored_shapes.get(name + SCALE)
        if scale is None:
            return f"{name} is int8 without {name}{SCALE}"
        if not shape or scale != shape[:1] or self._dtypes[name + SCALE] not in FLOATS:
            return f"{name}{SCALE} is not one float for each of the rows of {name} {list(shape)}"
        return None

    def read(
        self, names: Iterable[str] | None = None, dtype: torch.dtype | None = None
    ) -> dict[str, torch.Tensor]:
        """Tensors by name, expanded to floats.

        Args:
            names: which; all of them by default. Only these are read from the disk.
            dtype: dtype of the results, float32 by default.

        Raises:
            CheckpointError: a name is not in the file, or is not stored as floats.
        """
        import torch

        wanted = list(self.shapes if names is None else names)
        absent = [name for name in wanted if name not in self.shapes]
        if absent:
            raise CheckpointError(f"{self.path} has no tensor {', '.join(absent)}")
        result, mapped = {}, 0
        for name in wanted:
            stored, result[name] = self._read(name, dtype or torch.float32)
            if result[name].data_ptr() != stored.data_ptr():
                mapped += stored.nbytes
            del stored
            if mapped > MAPPED:
                self._file.__exit__(None, None, None)
                self._file = _open(self.path)
                mapped = 0
        return result

    def _read(self, name: str, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """A tensor as it is stored, and as a float."""
        trouble = self.trouble(name)
        if trouble:
            raise CheckpointError(str(trouble), where=self.path)
        stored: torch.Tensor = self._file.get_tensor(name)
        tensor = stored
        if self._dtypes[name] == "I8":
            scale = self._file.get_tensor(name + SCALE).float()
            tensor = tensor.float() * scale.view(-1, *[1] * (tensor.dim() - 1))
        return stored, tensor.to(dtype)


def _open(path: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    if path.exists() and not path.is_file():
        raise CheckpointError("is not a regular file", where=path)
    try:
        return safe_open(str(path), framework="pt", device="cpu")
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({error}); download it again"
        ) from None
