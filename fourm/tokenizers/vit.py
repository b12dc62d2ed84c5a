"""ViT encoder and decoder of grid tokenizers (4M-21 reference, sec. 3.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.errors import BadInput, ConfigError
from fourm.transformer.blocks import EncoderBlock
from fourm.transformer.config import FMConfig
from fourm.transformer.initialization import building_on_meta
from fourm.transformer.linear import Linear
from fourm.transformer.mlp import Mlp


class ViTSize(NamedTuple):
    """Size of an encoder or decoder."""

    dim: int
    depth: int
    heads: int


SIZES = {
    "vit_nano": ViTSize(64, 2, 4),
    "vit_s": ViTSize(512, 8, 8),
    "vit_b": ViTSize(768, 12, 12),
    "vit_l": ViTSize(1024, 24, 16),
}


def parse_vit_name(name: str, end: str) -> ViTSize:
    """Size of `vit_b_enc` and the like; `end` is `"enc"` or `"dec"`.

    Raises:
        ConfigError: no such preset.
    """
    size = SIZES.get(name.removesuffix(f"_{end}")) if name.endswith(f"_{end}") else None
    if size is None:
        known = ", ".join(f"{preset}_{end}" for preset in SIZES)
        raise ConfigError(f"unknown {end}_type {name!r} (known: {known})", where="tokenizer config")
    return size


def sincos_grid(height: int, width: int, dim: int) -> Tensor:
    """Sine-cosine position embeddings of a grid, (1, dim, height, width) float32.

    A quarter of the channels each: sine and cosine of the row, sine and cosine of the column.

    Raises:
        ConfigError: `dim` is not a multiple of 4.
    """
    if dim % 4:
        raise ConfigError(f"the width of sine-cosine positions must be a multiple of 4, got {dim}")
    if building_on_meta():
        return torch.empty(1, dim, height, width)
    omega = 10000.0 ** (-torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    rows = omega[:, None] * torch.arange(height, dtype=torch.float64)
    columns = omega[:, None] * torch.arange(width, dtype=torch.float64)
    rows = rows[:, :, None].expand(-1, height, width)
    columns = columns[:, None, :].expand(-1, height, width)
    return torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()]).float()[None]


def _blocks_config(size: ViTSize) -> FMConfig:
    # GELU and biases everywhere, which are the defaults of `FMConfig`.
    return FMConfig((), (), {}, dim=size.dim, num_heads=size.heads)


class _TanhMlp(Mlp):
    """The MLP after the blocks; computed in float32."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            hidden = F.linear(x.float(), self.fc1.weight.float(), self.fc1.bias.float()).tanh()
            out = F.linear(hidden, self.fc2.weight.float(), self.fc2.bias.float())
        return out.to(x.dtype)


class _ViT(nn.Module):
    """The backbone of encoder and decoder: grid (B, dim, h, w) -> the same shape."""

    def __init__(self, size: ViTSize, grid: int, post_mlp: bool) -> None:
        super().__init__()
        self.pos_emb = nn.Parameter(sincos_grid(grid, grid, size.dim), requires_grad=False)
        config = _blocks_config(size)
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(size.depth))
        self.has_post_mlp = post_mlp
        if post_mlp:
            self.norm_mlp = nn.LayerNorm(size.dim, eps=1e-6)
            self.post_mlp = _TanhMlp(config)

    def backbone(self, grid: Tensor) -> Tensor:
        """Add positions, run the blocks and the residual MLP after them."""
        height, width = grid.shape[-2:]
        positions: Tensor = self.pos_emb
        if positions.shape[-2:] != (height, width):
            # In float32: bicubic weights in half precision are too inexact.
            positions = F.interpolate(
                positions.float(), (height, width), mode="bicubic", align_corners=False
            )
        x = (grid + positions.to(grid.dtype)).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        if self.has_post_mlp:
            x = x + self.post_mlp(self.norm_mlp(x))
        return x.transpose(1, 2).reshape(grid.shape)


class ViTEncoder(_ViT):
    """(B, channels, H, W) -> (B, dim, H / patch, W / patch); `patch` is 1 for feature maps."""

    def __init__(
        self, channels: int, patch: int, size: ViTSize, grid: int, post_mlp: bool = False
    ) -> None:
        super().__init__(size, grid, post_mlp)
        self.channels = channels
        self.patch = patch
        self.proj = nn.Conv2d(channels, size.dim, kernel_size=patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        """Encode.

        Raises:
            BadInput: not four dimensions, another number of channels, or a side that is not a
                multiple of the patch size.
        """
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise BadInput(f"the tokenizer takes (B, {self.channels}, H, W), got {tuple(x.shape)}")
        if x.shape[2] % self.patch or x.shape[3] % self.patch or 0 in x.shape[2:]:
            raise BadInput(
                f"height and width must be multiples of {self.patch}, got {tuple(x.shape[2:])}"
            )
        return self.backbone(self.proj(x))


class ConvNeXtBlock(nn.Module):
    """(B, C, H, W) -> the same shape: 7x7 depthwise convolution, norm, MLP, scale, residual.

    `out_conv` of a config adds two of them after a ViT decoder.
    """

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


class ViTDecoder(_ViT):
    """(B, dim, h, w) -> (B, channels, h * patch, w * patch)."""

    def __init__(
        self,
        channels: int,
        patch: int,
        size: ViTSize,
        grid: int,
        post_mlp: bool = False,
        out_conv: bool = False,
    ) -> None:
        super().__init__(size, grid, post_mlp)
        self.patch = patch
        self.out_proj = Linear(size.dim, channels * patch * patch)
        self.has_out_conv = out_conv
        if out_conv:
            self.out_conv = nn.Sequential(ConvNeXtBlock(channels), ConvNeXtBlock(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Decode."""
        patches = self.out_proj(self.backbone(x).movedim(1, -1)).movedim(-1, 1)
        # The channels of a patch are (channel, row, column), as in pixel_shuffle.
        out = F.pixel_shuffle(patches, self.patch)
        return self.out_conv(out) if self.has_out_conv else out
