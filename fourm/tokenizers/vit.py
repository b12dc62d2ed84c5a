"""ViT encoder and decoder of grid tokenizers (4M-21 reference: ViT encoder / decoder)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.errors import BadInput, ConfigError
from fourm.tokenizers.convnext import ConvNeXtBlock


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
        raise ConfigError(f"tokenizer config: unknown {end}_type {name!r} (known: {known})")
    return size


def sincos_grid(height: int, width: int, dim: int) -> Tensor:
    """Sine-cosine positions of a grid, (1, dim, height, width), float32.

    Channels, a quarter each: sine and cosine of the row, sine and cosine of the column.

    Raises:
        ConfigError: `dim` is not a multiple of 4.
    """
    if dim % 4:
        raise ConfigError(f"sine-cosine positions need a width that 4 divides, not {dim}")
    omega = 10000.0 ** (-torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
    rows = omega[:, None] * torch.arange(height, dtype=torch.float64)
    columns = omega[:, None] * torch.arange(width, dtype=torch.float64)
    rows = rows[:, :, None].expand(-1, height, width)
    columns = columns[:, None, :].expand(-1, height, width)
    return torch.cat([rows.sin(), rows.cos(), columns.sin(), columns.cos()]).float()[None]


class _Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out


class _Mlp(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class _TanhMlp(_Mlp):
    """The MLP at the end of an encoder or decoder; always in float32."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            hidden = F.linear(x.float(), self.fc1.weight.float(), self.fc1.bias.float()).tanh()
            out = F.linear(hidden, self.fc2.weight.float(), self.fc2.bias.float())
        return out.to(x.dtype)


class _Block(nn.Module):
    def __init__(self, size: ViTSize) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(size.dim, eps=1e-6)
        self.attn = _Attention(size.dim, size.heads)
        self.norm2 = nn.LayerNorm(size.dim, eps=1e-6)
        self.mlp = _Mlp(size.dim, 4 * size.dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class _ViT(nn.Module):
    """The trunk that encoder and decoder share: grid (B, dim, h, w) -> the same shape."""

    def __init__(self, size: ViTSize, grid: int, post_mlp: bool) -> None:
        super().__init__()
        self.pos_emb = nn.Parameter(sincos_grid(grid, grid, size.dim), requires_grad=False)
        self.blocks = nn.ModuleList(_Block(size) for _ in range(size.depth))
        self.has_post_mlp = post_mlp
        if post_mlp:
            self.norm_mlp = nn.LayerNorm(size.dim, eps=1e-6)
            self.post_mlp = _TanhMlp(size.dim, 4 * size.dim)

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
        self.out_proj = nn.Linear(size.dim, channels * patch * patch)
        self.has_out_conv = out_conv
        if out_conv:
            self.out_conv = nn.Sequential(ConvNeXtBlock(channels), ConvNeXtBlock(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Decode."""
        patches = self.out_proj(self.trunk(x).movedim(1, -1)).movedim(-1, 1)
        # Channels of a patch come as (channel, row, column): what pixel_shuffle undoes.
        out = F.pixel_shuffle(patches, self.patch)
        return self.out_conv(out) if self.has_out_conv else out
