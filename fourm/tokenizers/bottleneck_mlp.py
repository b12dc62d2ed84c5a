"""Residual MLP over single vectors (4M-21 reference, sec. 3.4)."""

from __future__ import annotations

import re
from typing import NamedTuple

from torch import Tensor, nn

from fourm.errors import ConfigError
from fourm.transformer.linear import Linear

LONGEST_NAME = 60  # int() of thousands of digits takes its time
_NAME = re.compile(r"BottleneckMLP/B_(\d+)-Wi_(\d+)(?:-E_(\d+))?")


class BottleneckSize(NamedTuple):
    """Size of a `BottleneckMLP`."""

    blocks: int
    width: int
    expansion: int


def parse_bottleneck_name(name: str) -> BottleneckSize:
    """Parse `BottleneckMLP/B_<blocks>-Wi_<width>[-E_<expansion>]`; the expansion is 4 if absent.

    `B_0`, two linear layers without a block, is allowed.

    Raises:
        ConfigError: the name is malformed, a width or expansion is 0, or the size is too large.
    """
    match = _NAME.fullmatch(name) if len(name) <= LONGEST_NAME else None
    if match is None:
        name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
        raise ConfigError(
            f"{name!r} is not of the form BottleneckMLP/B_<n>-Wi_<w>[-E_<f>]",
            where="tokenizer config",
        )
    size = BottleneckSize(int(match[1]), int(match[2]), int(match[3] or 4))
    if size.width < 1 or size.expansion < 1:
        raise ConfigError(f"{name!r} has a width or an expansion of 0", where="tokenizer config")
    if size.blocks > 512 or size.width > 1 << 16 or size.expansion > 64:
        raise ConfigError(
            f"{name!r} is more than 512 blocks, 65536 wide, expanded 64 times",
            where="tokenizer config",
        )
    return size


class _Block(nn.Module):
    def __init__(self, width: int, expansion: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            Linear(width, expansion * width), nn.GELU(), Linear(expansion * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block(x)
        return out


class BottleneckMLP(nn.Module):
    """`linear_in`, then `blocks` residual blocks on normalised input, then `linear_out`."""

    def __init__(self, dim_in: int, dim_out: int, size: BottleneckSize) -> None:
        super().__init__()
        self.linear_in = Linear(dim_in, size.width)
        self.linear_out = Linear(size.width, dim_out)
        self.blocks = nn.ModuleList(_Block(size.width, size.expansion) for _ in range(size.blocks))
        self.layernorms = nn.ModuleList(nn.LayerNorm(size.width) for _ in range(size.blocks))

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim_in) -> (..., dim_out)."""
        x = self.linear_in(x)
        for block, norm in zip(self.blocks, self.layernorms, strict=True):
            x = x + block(norm(x))
        out: Tensor = self.linear_out(x)
        return out
