import subprocess
import sys

import pytest

from fourm.bundle.unused_code import code_of_torch, release_unused_code

MAPS = """\
7f00-7f10 r-xp 00000000 fe:00 1  /site-packages/nvidia/cu13/lib/libcublasLt.so.13
7f10-7f20 r--p 00000000 fe:00 1  /site-packages/nvidia/cu13/lib/libcublasLt.so.13
7f20-7f30 rw-p 00000000 fe:00 1  /site-packages/torch/lib/libtorch_cpu.so
7f30-7f50 r-xp 00000000 fe:00 1  /site packages/torch/lib/libtorch_cpu.so
7f50-7f60 r-xp 00000000 fe:00 1  /usr/lib/libc.so.6
7f60-7f70 rw-p 00000000 00:00 0
7f70-7f80 rwxp 00000000 00:00 0  [heap]
"""

SCRIPT = """
import torch
from fourm.bundle.unused_code import release_unused_code

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssFile"))

matrix = torch.arange(10000.0).view(100, 100)
before = matrix @ matrix
pages = resident()
assert release_unused_code() > 10_000_000
print(resident() < pages - 5000)
assert torch.equal(matrix @ matrix, before)
assert torch.nn.functional.gelu(matrix).isfinite().all()
torch.randn(5).sort()
print("still works")
"""


def test_only_code_is_chosen():
    found = code_of_torch(MAPS.splitlines())
    assert found == [(0x7F00, 0x7F10), (0x7F30, 0x7F50)]


def test_where_there_are_no_maps(tmp_path):
    assert release_unused_code(tmp_path / "absent") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists what is mapped")
def test_memory_falls_and_torch_still_works():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["True", "still works"], done.stderr
