"""Teachers with random weights, as small as their classes allow, saved in their own formats."""

import json
from pathlib import Path

import numpy as np
import open_clip
import timm
import torch
from safetensors.torch import save_file
from timm.models import save_for_hf

from fourm.teachers.dinov2 import ARCHITECTURE

DINO_ARGS = {"embed_dim": 32, "depth": 2, "num_heads": 2}
CLIP_CONFIG = {
    "embed_dim": 24,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 224, "layers": 2, "width": 64, "head_width": 32, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}


def small_dinov2(seed=0, *, img_size=224, **arguments):
    """timm's network; positions and layer scales are as large as trained ones."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = timm.create_model(
            ARCHITECTURE, img_size=img_size, num_classes=0, **{**DINO_ARGS, **arguments}
        ).eval()
        for name, value in network.named_parameters():
            if "gamma" in name or name == "pos_embed":
                value.normal_()
            elif value.dim() > 1:
                value.mul_(20 if name.startswith("patch_embed") else 5)
    return network


def small_clip(seed=0, **arguments):
    """open_clip's network."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = open_clip.CLIP(**{**CLIP_CONFIG, **arguments}).eval()
        for name, value in network.named_parameters():
            if name.startswith("visual.ln_post"):
                value.normal_()
            elif value.dim() > 1 and "token_embedding" not in name:
                value.mul_(3)
    return network


def tensors(network):
    return {
        name: value.detach().clone().contiguous() for name, value in network.state_dict().items()
    }


def save_dinov2(folder: Path, network=None) -> Path:
    """A folder as timm itself writes it."""
    network = network or small_dinov2()
    save_for_hf(network, folder, model_config={"model_args": DINO_ARGS}, safe_serialization=True)
    return Path(folder)


def save_clip(folder: Path, network=None, config=CLIP_CONFIG) -> Path:
    """A folder as open_clip's own push to the hub lays it out."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    save_file(tensors(network or small_clip()), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {}})
    )
    return folder


def noise(number=3, seed=1):
    """float32 (number, 3, 224, 224), 0 to 1, each of another colour."""
    generator = torch.Generator().manual_seed(seed)
    cells = torch.rand(number, 3, 7, 7, generator=generator)
    return torch.nn.functional.interpolate(cells, size=(224, 224))


def as_arrays(pixels):
    """uint8 (H, W, 3) each, and the float32 pixels that they are exactly."""
    arrays = (pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    exact = torch.from_numpy(arrays).permute(0, 3, 1, 2).float() / 255
    return list(np.ascontiguousarray(arrays)), exact
