"""DINOv2 ViT-B/14: the vector of an image is its class token (4M-21 reference, sec. 3.4)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourm.checkpoints.config import Fields
from fourm.checkpoints.files import CONFIG, TENSORS, read_json_object
from fourm.errors import CheckpointError, ConfigError
from fourm.hub.teachers import DINOV2_B14
from fourm.teachers.teacher import SIDE, Teacher
from fourm.teachers.weights import TeacherState, build, file_in, fill, read_state

if TYPE_CHECKING:
    import torch

ARCHITECTURE = "vit_base_patch14_dinov2"

SIZES = ("patch_size", "embed_dim", "depth", "num_heads", "mlp_ratio", "init_values")
"""What a config may set of an architecture; the two further ones may stand there as they are."""

FIXED: Mapping[str, object] = {"in_chans": 3, "global_pool": "token"}

WIDTH = 768
"""Length of its vectors, unless a config says otherwise."""

OFFSET = 0.1
"""DINOv2 scales its positions by (grid + 0.1) / old grid."""


class Dinov2Teacher(Teacher):
    """DINOv2 ViT-B/14, run by timm at 224 pixels.

    Its source is a folder in timm's format (`config.json`, `model.safetensors`), a file of timm's
    tensors, or DINOv2's own `dinov2_vitb14_pretrain.pth`; by default timm's repository on the hub.

    The positions of a checkpoint, usually for 37 x 37 patches, are resized to the 16 x 16 of a
    224-pixel image as DINOv2 does it, which is not how timm does it.
    """

    card = DINOV2_B14

    def _normalisation(self, space: str) -> str:
        return "imagenet"

    def _config(self) -> Fields | None:
        """The folder's config; None for a bare file, which is ViT-B/14's."""
        place = self._place.get()
        return Fields(read_json_object(place / CONFIG), place / CONFIG) if place.is_dir() else None

    def _architecture(self) -> tuple[str, dict[str, Any]]:
        """The network's name in timm, and the arguments that differ from its defaults."""
        config = self._config()
        if config is None:
            return ARCHITECTURE, {}
        name, arguments = config.text("architecture"), config.mapping("model_args")
        if not re.fullmatch(r"vit_\w+_dinov2", name):
            raise config.error("architecture", f"a DINOv2 such as {ARCHITECTURE}", name)
        for key, value in arguments.items():
            known = key in (*SIZES, "img_size", "num_classes")
            if not known and (key not in FIXED or FIXED[key] != value):
                raise ConfigError(f"{key}={value!r} is not DINOv2's", where=config.where)
        return name, {key: arguments[key] for key in SIZES if key in arguments}

    def _dim(self) -> int:
        config = self._config()
        return WIDTH if config is None else config.integer("num_features", low=1)

    def _design(self) -> str:
        return json.dumps(self._architecture(), sort_keys=True)

    def _file(self) -> Path:
        place = self._place.get()
        return file_in(place, (TENSORS, "pytorch_model.bin")) if place.is_dir() else place

    def _state(self, path: Path) -> TeacherState:
        state = read_state(path)
        state.pop("mask_token", None)  # of DINOv2's own files, for its training alone
        if "register_tokens" in state or "reg_token" in state:
            raise CheckpointError(
                f"{path} is a DINOv2 with register tokens; 4M-21 predicts the one without"
            )
        return state

    def _build(self, state: TeacherState, path: Path) -> torch.nn.Module:
        import timm
        import torch
        from timm.models.vision_transformer import VisionTransformer

        architecture, arguments = self._architecture()
        with torch.device("meta"):  # first weights at random would take seconds
            network = build(
                lambda: timm.create_model(architecture, img_size=SIDE, num_classes=0, **arguments),
                path,
            )
        if not isinstance(network, VisionTransformer) or network.num_prefix_tokens != 1:
            raise ConfigError(f"{architecture} is not a plain ViT with one class token", where=path)
        positions = state.get("pos_embed")
        grid = network.patch_embed.grid_size[0]
        if positions is not None and positions.shape[1:2] != (1 + grid * grid,):
            state = {**state, "pos_embed": resized_positions(positions, grid)}
        fill(network, state, path)
        return network

    def _read(self, network: Any, pixels: torch.Tensor, space: str) -> torch.Tensor:
        tokens: torch.Tensor = network.forward_features(pixels)
        return tokens[:, 0]


def resized_positions(positions: torch.Tensor, grid: int) -> torch.Tensor:
    """Positions (1, 1 + n * n, dim) of a class token and a grid -> (1, 1 + grid * grid, dim).

    As DINOv2 without registers does it: bicubic, not antialiased, scaled by (grid + 0.1) / n.
    Positions that are not a square grid are returned unchanged.
    """
    import torch

    if positions.dim() != 3 or positions.shape[1] < 2:
        return positions
    first, patches = positions[:, :1], positions[:, 1:]
    old = math.isqrt(patches.shape[1])
    if old * old != patches.shape[1]:
        return positions
    scale = (grid + OFFSET) / old
    resized = torch.nn.functional.interpolate(
        patches.reshape(1, old, old, -1).permute(0, 3, 1, 2),
        scale_factor=(scale, scale),
        mode="bicubic",
        align_corners=False,
    )
    return torch.cat([first, resized.permute(0, 2, 3, 1).reshape(1, grid * grid, -1)], dim=1)
