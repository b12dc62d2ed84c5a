"""What the reference recorded: carried in `tests/fixtures`, or kept beside the repository.

The large part lies in `../shared/fixtures` (or `$FOURM_SHARED/fixtures`); tests that need it are
skipped where it is not there.
"""

import importlib.util
import os
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

CARRIED = Path(__file__).resolve().parents[1] / "fixtures"
SHARED = Path(os.environ.get("FOURM_SHARED", Path(__file__).resolve().parents[3] / "shared"))


def recorded_path(name):
    """Where a recorded file is; skips the test when it is nowhere."""
    for folder in (CARRIED, SHARED / "fixtures"):
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"{name} is not on this machine")


@cache
def recorded(name):
    """Tensors of a recorded .safetensors file."""
    return load_file(recorded_path(name))


def model_folder(name, scratch):
    """An official-format folder of a recorded model, written from its recipe where need be."""
    carried = CARRIED / "models" / name
    if (carried / "model.safetensors").exists():
        return carried
    folder = scratch / name
    if not folder.exists():
        source = recorded_path(f"models/{name}/manifest.json").parent
        _recipe().write_model(str(source), str(folder))
    return folder


@cache
def _recipe():
    spec = importlib.util.spec_from_file_location("recipe", recorded_path("recipe.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_close(got, want, tolerance=2e-4):
    """Same shape, and no value further off than `tolerance`."""
    assert got.shape == want.shape
    torch.testing.assert_close(got, want, rtol=0, atol=tolerance)
