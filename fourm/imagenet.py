"""Mean and deviation of ImageNet's photos, and pixels standardised with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def imagenet_normalised(pixels: Tensor) -> Tensor:
    """Bytes (..., 3, H, W) -> float32 of mean 0 and deviation 1 over ImageNet's photos."""
    import torch

    mean = torch.tensor(IMAGENET_MEAN, device=pixels.device).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=pixels.device).view(3, 1, 1)
    return (pixels.float() / 255 - mean) / std


def imagenet_restored(values: Tensor) -> Tensor:
    """The inverse of `imagenet_normalised`: float (..., 3, H, W) -> the same shape, 0 .. 1."""
    mean, std = (values.new_tensor(rgb).view(3, 1, 1) for rgb in (IMAGENET_MEAN, IMAGENET_STD))
    return values * std + mean
