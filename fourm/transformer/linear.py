"""Linear layers by way of the faster of torch's two matrix libraries.

In float32, torch multiplies with MKL, which on AMD's processors is slower than oneDNN, torch's own
choice for bfloat16: by 8 to 25 % at every size that occurs in this model (Zen 4), and by half where
a few vectors meet a large matrix, as in captions token by token.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """`nn.Linear`, with the same keys and, up to rounding, the same results."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        if not (
            x.dtype == self.weight.dtype == torch.float32
            and x.device.type == "cpu"
            and x.numel()
            and onednn_is_faster()
            and not torch.compiler.is_compiling()
            and not (torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad))
        ):
            return super().forward(x)
        result: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self.weight, self.bias, "none", [], ""
        )
        return result


@cache
def onednn_is_faster(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this torch has oneDNN's linear layer, and the processor is AMD's."""
    if not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    try:
        known = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "AuthenticAMD" in known
