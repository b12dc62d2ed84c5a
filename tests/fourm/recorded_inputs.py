"""The inputs that the transformer's results were recorded with."""

import torch
from safetensors import safe_open

from fourm.transformer.embeddings import ModalityInput
from tests.fourm.recorded import recorded, recorded_path


def metadata(name):
    """The header's notes of a recorded file."""
    with safe_open(recorded_path(name), "pt") as file:
        return file.metadata()


def images(count):
    """The first recorded images, ImageNet-standardised: (count, 3, 224, 224)."""
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    return (recorded("inputs.safetensors")["rgb_u8"][:count].float() / 255 - mean) / std


def t5_embeddings(count):
    """The first recorded T5 states: (count, 16, 4096)."""
    return recorded("inputs.safetensors")["t5_emb"][:count]


def inputs_of(stored, modalities):
    """The inputs of a recording, in the order of `modalities`."""
    inputs = {}
    for name in modalities:
        masked = stored[f"in/{name}/input_mask"]
        if name == "rgb@224":
            content = images(len(masked))
        elif name == "t5_caption":
            content = t5_embeddings(len(masked))
        else:
            content = stored[f"in/{name}/tensor"].long()
        inputs[name] = ModalityInput(content, masked)
    return inputs
