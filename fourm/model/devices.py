"""Choosing the device and the precision of the transformer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fourm.errors import BadInput

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")
DTYPES = ("auto", "float32", "bfloat16", "float16")


def choose_device(device: str) -> torch.device:
    """The device of a name.

    Args:
        device: one of `DEVICES`, or one with a number (`cuda:1`); `auto` is CUDA where there is
            one, else Apple's GPU (`mps`), else the CPU.

    Raises:
        BadInput: an unknown device, or one that this machine does not have.
    """
    import torch

    if device == "auto":
        return torch.device(_best())
    kind, colon, _ = str(device).partition(":")
    if kind not in DEVICES[1:] or (colon and kind != "cuda"):
        raise BadInput(
            f"device must be one of {', '.join(DEVICES)}, or e.g. cuda:1, got {device!r}"
        )
    if kind == "cuda" and not torch.cuda.is_available():
        raise BadInput(f"device {device!r} is not available: torch finds no CUDA GPU")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise BadInput(f"device {device!r} is not available: torch finds no Apple GPU")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(f"device {device!r} is not available: {reason}") from None
    return chosen


def _best() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def choose_dtype(dtype: str, device: torch.device, *, picks_tokens: bool = False) -> torch.dtype:
    """The dtype of a name.

    `auto` is float32 for a model that picks tokens: in bfloat16, rounding picks others, and a
    vector may be far from that of float32 (`python -m benchmarks.precision`: 4M-21 B with random
    weights, lowest cosine 0.77 of photos and 0.57 of texts). For others it is bfloat16 where the
    processor multiplies it natively, else float32.

    Args:
        dtype: one of `DTYPES`.
        device: where the transformer runs.
        picks_tokens: whether vectors are decoded from single tokens, the most likely or drawn ones.

    Raises:
        BadInput: an unknown dtype.
    """
    import torch

    if dtype not in DTYPES:
        raise BadInput(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    if dtype != "auto":
        chosen: torch.dtype = getattr(torch, dtype)
        return chosen
    if picks_tokens:
        return torch.float32
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
    else:
        native = device.type == "cpu" and _cpu_has_bfloat16()
    return torch.bfloat16 if native else torch.float32


def _cpu_has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    try:
        flags = cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
