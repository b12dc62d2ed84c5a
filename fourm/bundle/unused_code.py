"""Giving back memory that importing torch takes and a CPU model never uses."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_DONTNEED = 4  # MADV_DONTNEED of <sys/mman.h>
_EXECUTABLE = "r-xp"


def release_unused_code(maps: Path = Path("/proc/self/maps")) -> int:
    """Unmap, until it runs again, the code of torch's and NVIDIA's libraries; bytes of code.

    Importing a CUDA build of torch runs through 100 MiB of code to set itself up: operator tables,
    and libraries for graphics cards that a model on the CPU never calls. Those pages count as the
    process's own memory until somebody else wants them. Only executable private mappings are
    released: nothing writes to these, so whatever is called again is read from its file again.
    Does nothing on other systems than Linux.
    """
    if sys.platform != "linux":
        return 0
    try:
        lines = maps.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    released = 0
    for start, end in code_of_torch(lines):
        if madvise(start, end - start, _DONTNEED) == 0:
            released += end - start
    return released


def code_of_torch(lines: list[str]) -> list[tuple[int, int]]:
    """Addresses of torch's and NVIDIA's code in the lines of `/proc/self/maps`."""
    found = []
    for line in lines:
        addresses, permissions, *_, path = line.split(maxsplit=5)
        name = Path(path).name
        if permissions != _EXECUTABLE or ".so" not in name:
            continue
        if "/torch/lib/" in path or "/nvidia/" in path:
            start, _, end = addresses.partition("-")
            found.append((int(start, 16), int(end, 16)))
    return found
