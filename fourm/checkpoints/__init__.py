"""Official-format checkpoints: a folder with `config.json` and `model.safetensors`.

    checkpoint = Checkpoint.open(folder)
    model = build(checkpoint.config)             # on torch.device("meta")
    load_module(model, checkpoint)               # strict; reads only what the module has

Importing this package does not import torch.
"""

from fourm.checkpoints.config import Fields, parse_metadata, parse_value
from fourm.checkpoints.files import Checkpoint
from fourm.checkpoints.loading import load_module
from fourm.checkpoints.tensors import TensorFile

__all__ = [
    "Checkpoint",
    "Fields",
    "TensorFile",
    "load_module",
    "parse_metadata",
    "parse_value",
]
