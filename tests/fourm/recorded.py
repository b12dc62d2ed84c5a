"""What the reference implementation recorded, in `tests/fixtures` (see its README)."""

import importlib.util
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def recorded_path(name):
    """Path of a recorded file or folder."""
    path = FIXTURES / name
    assert path.exists(), f"{name} is missing from tests/fixtures"
    return path


@cache
def recorded(name):
    """Tensors of a recorded .safetensors file."""
    return load_file(recorded_path(name))


def model_folder(name, scratch):
    """An official-format folder of a recorded model, written from its recipe where need be."""
    source = recorded_path(f"models/{name}")
    if (source / "model.safetensors").exists():
        return source
    folder = scratch / name
    if not folder.exists():
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
