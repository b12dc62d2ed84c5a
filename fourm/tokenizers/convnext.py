"""The ConvNeXt block that may end a ViT decoder (4M-21 reference: `out_conv`)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.transformer.linear import Linear


class ConvNeXtBlock(nn.Module):
    """(B, C, H, W) -> the same shape: 7x7 depthwise convolution, norm, MLP 4x, scale, residual."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, kernel_size=7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1 = Linear(channels, 4 * channels)
        self.pwconv2 = Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        h = self.dwconv(x).movedim(1, -1)
        h = self.pwconv2(F.gelu(self.pwconv1(self.norm(h))))
        out: Tensor = x + (self.gamma * h).movedim(-1, 1)
        return out
