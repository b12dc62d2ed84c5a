"""Strict loading: the header is compared with the whole model, then only what is needed is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fourm.checkpoints.files import Checkpoint
from fourm.checkpoints.tensors import TensorFile
from fourm.errors import TensorMismatch

if TYPE_CHECKING:
    import torch

Shapes = Mapping[str, tuple[int, ...]]


def load_module(
    module: torch.nn.Module,
    checkpoint: Checkpoint,
    *,
    everything: Shapes | None = None,
    ignore: Callable[[str], bool] = lambda name: False,
    tied: Mapping[str, str] | None = None,
    dtypes: Mapping[str, torch.dtype] | None = None,
) -> None:
    """Fill a module's parameters and persistent buffers from a checkpoint, in place.

    The module may have been built under `torch.device("meta")`: tensors are assigned, not copied.

    Args:
        module: what to fill. Only its tensors are read from the file.
        checkpoint: where from.
        everything: name -> shape of all that the file must hold, where that is more than the
            module has (a model of which only some modalities are built). Default: the module's.
        ignore: names that the file may hold or lack, unless the module itself has them.
        tied: name -> the other name under which an equal tensor may be stored instead.
        dtypes: name -> dtype of the loaded tensor; float32 by default.

    Raises:
        TensorMismatch: lists unknown, missing and wrongly shaped or stored tensors, all in one.
    """
    import torch

    wanted = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    with checkpoint.tensors() as file:
        sources = match(file, everything or wanted, ignore, tied or {})
        if lost := [name for name in wanted if name not in sources]:
            raise TensorMismatch(file.path, [], lost, [])
        stored = {name: (sources[name], (dtypes or {}).get(name, torch.float32)) for name in wanted}
        loaded = {
            (source, dtype): tensor
            for dtype in {dtype for _, dtype in stored.values()}
            for source, tensor in file.read(
                {source for source, other in stored.values() if other == dtype}, dtype
            ).items()
        }
    # A tensor stored once for two names becomes two tensors, so that they may be trained apart.
    used: set[tuple[str, torch.dtype]] = set()
    state = {}
    for name, key in stored.items():
        state[name] = loaded[key].clone() if key in used else loaded[key]
        used.add(key)
    module.load_state_dict(state, strict=True, assign=True)


def match(
    file: TensorFile, shapes: Shapes, ignore: Callable[[str], bool], tied: Mapping[str, str]
) -> dict[str, str]:
    """For every name of a model the name in the file, after checking all of them.

    Raises:
        TensorMismatch: as `load_module`.
    """
    sources = {}
    missing, wrong = [], []
    for name, shape in shapes.items():
        source = name if name in file.shapes else tied.get(name, name)
        if source not in file.shapes:
            if not ignore(name):
                missing.append(name)
            continue
        sources[name] = source
        if file.shapes[source] != shape:
            wrong.append(f"{source} has shape {list(file.shapes[source])}, not {list(shape)}")
        elif trouble := file.trouble(source):
            wrong.append(trouble)
    unknown = [name for name in file.shapes if name not in shapes and not ignore(name)]
    if unknown or missing or wrong:
        raise TensorMismatch(file.path, sorted(unknown), missing, list(dict.fromkeys(wrong)))
    return sources
