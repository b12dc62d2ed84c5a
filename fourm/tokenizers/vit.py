"""ViT encoder and decoder of grid tokenizers (4M-21 reference: ViT encoder / decoder)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.errors import BadInput, ConfigError
from fourm.tokenizers.convnext import ConvNeXtBlock
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
    """Sine-cosine positions of a grid, (1, dim, height, width), float32.

    Channels, a quarter each: sine and cosine of the row, sine and cosine of the column.

    Raises:
        ConfigError: `dim` is not a multiple of 4.
    """
    if dim % 4:
        raise ConfigError(f"sine-cosine positions need a width that 4 divides, not {dim}")
    if building_on_meta():
        return torch.empty(1, dim, height, width)
    omega = 10000.0 ** (-torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    rows = omega[:, None] * torch.arange(height, dtype=torch.float64)
    columns = omega[:, None] * torch.arange(width, dtype=torch.float64)
    rows = rows[:, :, None].expand(-1, height, width)
    columns = columns[:, None, :].expand(-1, height, width)
    return torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()]).float()[None]


def _blocks_config(size: ViTSize) -> FMConfig:
    # GELU and biases everywhere are the defaults of the encoder-decoder model's blocks, too.
    return FMConfig((), (), {}, dim=size.dim, num_heads=size.heads)


class _TanhMlp(Mlp):
    """The MLP at the end of an encoder or decoder; always in float32."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            hidden = F.linear(x.float(), self.fc1.weight.float(), self.fc1.bias.float()).tanh()
            out = F.linear(hidden, self.fc2.weight.float(), self.fc2.bias.float())
        return out.to(x.dtype)


class _ViT(nn.Module):
    """The trunk that encoder and decoder share: grid (B, dim, h, w) -> the same shape."""

    def __init__(self, size: ViTSize, grid: int, post_mlp: bool) -> None:
        super().__init__()
        self.pos_emb = nn.Parameter(sincos_grid(grid, grid, size.dim), requires_grad=False)
        config = _blocks_config(size)
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(size.depth))
        self.has_post_mlp = post_mlp
        if post_mlp:
            self.norm_mlp = nn.LayerNorm(size.dim, eps=1e-6)
            self.post_mlp = _TanhMlp(config)

    def trunk(self, grid: Tensor) -> Tensor:
        """Positions, blocks and the residual MLP at the end."""
        height, width = grid.shape[-2:]
        positions: Tensor = self.pos_emb
        if positions.shape[-2:] != (height, width):
            # Bicubic weights in half precision would move every position visibly.
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
            BadInput: not four axes, another number of channels, or a side that is no multiple of
                the patch size.
        """
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise BadInput(f"the tokenizer takes (B, {self.channels}, H, W), not {tuple(x.shape)}")
        if x.shape[2] % self.patch or x.shape[3] % self.patch or 0 in x.shape[2:]:
            raise BadInput(
                f"height and width must be multiples of {self.patch}, not {tuple(x.shape[2:])}"
            )
        return self.trunk(self.proj(x))


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
        patches = self.out_proj(self.trunk(x).movedim(1, -1)).movedim(-1, 1)
        # Channels of a patch come as (channel, row, column): what pixel_shuffle undoes.
        out = F.pixel_shuffle(patches, self.patch)
        return self.out_conv(out) if self.has_out_conv else out
