"""The UNet of a diffusion decoder (4M-21 reference, sec. 3.6).

Module names are those of official files, hence lists of unnamed layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourm.errors import BadInput, ConfigError

_GROUPS = 32


class UNetSize(NamedTuple):
    """Size of a UNet; `attention` lists the downsampling factors of the levels with attention."""

    patch: int
    base: int
    multipliers: tuple[int, ...]
    blocks: int
    attention: tuple[int, ...]

    @property
    def multiple(self) -> int:
        """Height and width of images must be multiples of this."""
        return self.patch << (len(self.multipliers) - 1)


SIZES = {
    "unet_patched": UNetSize(4, 256, (1, 2, 2, 2), 3, (4, 8)),
    "unet_nano": UNetSize(4, 32, (1, 2, 2, 2), 1, (4, 8)),
}


def parse_unet_name(name: str) -> UNetSize:
    """Size of a preset.

    Raises:
        ConfigError: no such preset.
    """
    if name not in SIZES:
        raise ConfigError(
            f"unknown dec_type {name!r} (known: {', '.join(SIZES)})", where="tokenizer config"
        )
    return SIZES[name]


def time_features(steps: Tensor, dim: int) -> Tensor:
    """Timesteps (B,) -> (B, dim) float32: cosines, then sines, of dim / 2 frequencies."""
    half = dim // 2
    # In float32 the rounding of the exponential alone would change a late timestep by 1e-4 rad.
    exponents = torch.arange(half, dtype=torch.float64, device="cpu") / -half
    frequencies = (10000.0**exponents).float().to(steps.device)
    angles = steps[:, None].float() * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class _Residual(nn.Module):
    """Two convolutions; the embedding of the timestep is added between them."""

    def __init__(self, channels: int, out: int, embedding: int) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(_GROUPS, channels), nn.SiLU(), nn.Conv2d(channels, out, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, out))
        # nn.Identity stands for the dropout of training, which the names count.
        self.out_layers = nn.Sequential(
            nn.GroupNorm(_GROUPS, out), nn.SiLU(), nn.Identity(), nn.Conv2d(out, out, 3, padding=1)
        )
        self.skip_connection = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        h = self.in_layers(x) + self.emb_layers(embedding)[:, :, None, None]
        out: Tensor = self.skip_connection(x) + self.out_layers(h)
        return out


class _Attention(nn.Module):
    """Self-attention of all pixels with one head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x).flatten(2)).transpose(1, 2).chunk(3, dim=-1)
        mixed = F.scaled_dot_product_attention(q, k, v)
        out: Tensor = x + self.proj_out(mixed.transpose(1, 2)).reshape(x.shape)
        return out


class _Down(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.op(x)
        return out


class _Up(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return out


class _Stage(nn.ModuleList):
    """A sequence of layers; residual ones are given the embedding of the timestep."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__(layers)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        for layer in self:
            x = layer(x, embedding) if isinstance(layer, _Residual) else layer(x)
        return x


class UNet(nn.Module):
    """Predicts the image, or the noise, of a noised image, conditioned on codebook values."""

    def __init__(self, channels: int, condition: int, size: UNetSize) -> None:
        super().__init__()
        self.size = size
        base, embedding = size.base, 4 * size.base
        pixels = channels * size.patch**2
        self.time_embed = nn.Sequential(
            nn.Linear(base, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
        )

        def attends(level: int) -> bool:
            return 2**level in size.attention

        width = base
        stages = [_Stage([nn.Conv2d(pixels + condition, base, 3, padding=1)])]
        skipped = [base]
        for level, multiplier in enumerate(size.multipliers):
            for _ in range(size.blocks):
                out = multiplier * base
                layers: list[nn.Module] = [_Residual(width, out, embedding)]
                width = out
                if attends(level):
                    layers.append(_Attention(width))
                stages.append(_Stage(layers))
                skipped.append(width)
            if level + 1 < len(size.multipliers):
                stages.append(_Stage([_Down(width)]))
                skipped.append(width)
        self.input_blocks = nn.ModuleList(stages)

        self.middle_block = _Stage(
            [
                _Residual(width, width, embedding),
                _Attention(width),
                _Residual(width, width, embedding),
            ]
        )

        stages = []
        for level in reversed(range(len(size.multipliers))):
            out = size.multipliers[level] * base
            for block in range(size.blocks + 1):
                layers = [_Residual(width + skipped.pop(), out, embedding)]
                width = out
                if attends(level):
                    layers.append(_Attention(width))
                if level > 0 and block == size.blocks:
                    layers.append(_Up(width))
                stages.append(_Stage(layers))
        self.output_blocks = nn.ModuleList(stages)
        self.out = nn.Sequential(
            nn.GroupNorm(_GROUPS, base), nn.SiLU(), nn.Conv2d(base, pixels, 3, padding=1)
        )

    @property
    def multiple(self) -> int:
        """Height and width of images must be multiples of this."""
        return self.size.multiple

    def forward(self, x: Tensor, steps: Tensor, condition: Tensor) -> Tensor:
        """Predict.

        Args:
            x: noised images (B, C, H, W).
            steps: (B,) timesteps.
            condition: codebook values (B, latent, h, w).

        Returns:
            (B, C, H, W).

        Raises:
            BadInput: height or width is not a multiple of `multiple`.
        """
        height, width = x.shape[-2:]
        if height % self.multiple or width % self.multiple or not height * width:
            raise BadInput(
                f"height and width must be multiples of {self.multiple}, got {height} x {width}"
            )
        features = time_features(steps, self.size.base).to(x.dtype)
        embedding = self.time_embed(features)
        patches = F.pixel_unshuffle(x, self.size.patch)
        resized = F.interpolate(condition.to(x.dtype), patches.shape[-2:], mode="nearest")
        h = torch.cat([patches, resized], dim=1)
        kept = []
        for stage in self.input_blocks:
            h = stage(h, embedding)
            kept.append(h)
        h = self.middle_block(h, embedding)
        for stage in self.output_blocks:
            h = stage(torch.cat([h, kept.pop()], dim=1), embedding)
        return F.pixel_shuffle(self.out(h), self.size.patch)
