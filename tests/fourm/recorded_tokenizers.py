"""Folders of the recorded tokenizers, and comparing with what they gave."""

import torch
from tests.fourm.reference import CARRIED, write_model


def tokenizer_folder(name, scratch):
    """An official-format folder: the carried one, or written from its recipe under `scratch`."""
    carried = CARRIED / "models" / name
    if (carried / "model.safetensors").exists():
        return carried
    folder = scratch / name
    return folder if folder.exists() else write_model(name, folder)


def assert_close(got, want, tolerance=2e-4):
    """Same shape, and no value further off than `tolerance`."""
    assert got.shape == want.shape
    torch.testing.assert_close(got, want, rtol=0, atol=tolerance)
