"""Linear layers on the CPU, by the faster of torch's two float32 matrix products.

Torch multiplies float32 matrices with MKL. oneDNN, which torch uses for bfloat16, is faster on some
processors and slower on others, so that both are timed once in each process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from time import perf_counter

import torch
from torch import Tensor, nn

from fourm.errors import BadInput

Product = Callable[[Tensor, Tensor, Tensor | None], Tensor]

VARIABLE = "FOURM_LINEAR"
CHOICES = ("auto", "torch", "onednn")
WORTHWHILE = 1.05
"""Speed-up from which on the private operator is used."""


class Linear(nn.Linear):
    """`nn.Linear`, with the same keys and, up to rounding, the same results.

    Weights of a lower precision than float32 take inputs of any, and give outputs of their own.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        if self.weight.dtype != torch.float32:
            return super().forward(x.to(self.weight.dtype))
        if (
            x.dtype == self.weight.dtype == torch.float32
            and x.device.type == "cpu"
            and x.numel()
            and not torch.compiler.is_compiling()
            and not (torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad))
        ):
            return fastest_product()(x, self.weight, self.bias)
        return super().forward(x)


@cache
def fastest_product() -> Product:
    """The product x @ weight.T + bias of float32 CPU tensors that layers use in this process.

    The environment variable `FOURM_LINEAR` chooses: `torch` is `torch.nn.functional.linear`,
    `onednn` a private operator of torch, and `auto` (the default) the faster of them, measured on
    a small problem in a few milliseconds. Results differ by rounding errors alone; set the
    variable where they have to be the same in every process. Where the private operator is missing
    or fails, the public one is used.

    Raises:
        BadInput: `FOURM_LINEAR` has another value.
    """
    choice = os.environ.get(VARIABLE) or "auto"
    if choice not in CHOICES:
        raise BadInput(f"{VARIABLE} must be one of {', '.join(CHOICES)}, got {choice!r}")
    if choice == "torch" or not _works(_onednn):
        return nn.functional.linear
    if choice == "onednn":
        return _onednn
    return _onednn if _speedup() > WORTHWHILE else nn.functional.linear


def _onednn(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return result


def _works(product: Product) -> bool:
    """Whether the product gives the right result of a small problem."""
    x, weight, bias = _filled(2, 4), _filled(3, 4), _filled(3)
    try:
        with torch.no_grad():
            return torch.equal(product(x, weight, bias), 5 * _filled(2, 3))
    except (AttributeError, RuntimeError, TypeError):  # absent, refused, or of another signature
        return False


@torch.no_grad()
def _speedup(rounds: int = 5) -> float:
    """How many times as fast as torch's product oneDNN's is: a text's tokens in a 4M-21 B layer."""
    x, weight = _filled(16, 768), _filled(768, 768)
    best: dict[Product, float] = {nn.functional.linear: float("inf"), _onednn: float("inf")}
    for _ in range(rounds):  # in turns, so that both meet the same load of the machine
        for product in best:
            start = perf_counter()
            product(x, weight, None)
            best[product] = min(best[product], perf_counter() - start)
    return best[nn.functional.linear] / best[_onednn]


def _filled(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.float32, device="cpu")
