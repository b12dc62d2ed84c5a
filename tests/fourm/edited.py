"""Edits of a model folder, for tests of folders that do not fit."""

import json

import torch
from safetensors.torch import load_file, save_file


def edit_tensors(folder, change):
    """Let `change` edit the tensors; the file's own metadata is dropped."""
    path = folder / "model.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)


def edit_config(folder, **changes):
    """Set fields of `config.json`; `...` removes one."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not ...}))


def spoil_small_real(state):
    """All differences that tensors of the recorded model `fm_small_real` can have."""
    del state["mask_token"], state["encoder.1.mlp.fc3.weight"]
    state["encoder.2.norm1.weight"] = torch.ones(16)
    state["decoder_norm.weight"] = torch.ones(17)
    state["encoder_norm.weight"] = torch.ones(16, dtype=torch.int64)
