"""ICC profiles of RGB spaces, made from their primaries."""

import struct

import numpy as np

DISPLAY_P3 = (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), 2.2)
ADOBE_RGB = (((0.640, 0.330), (0.210, 0.710), (0.150, 0.060)), 2.19921875)

_D65, _D50 = (0.3127, 0.3290), np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def matrix_profile(primaries, gamma):
    """A version 2 profile with a matrix and one gamma, its white point D65."""
    columns = np.array([_xyz(*one) for one in primaries]).T
    white = _xyz(*_D65)
    to_xyz = columns * np.linalg.solve(columns, white)
    cones = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adapted = np.linalg.inv(_BRADFORD) @ cones @ _BRADFORD @ to_xyz
    text = b"test\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(8 + 2 + 1 + 67)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {
        b"desc": described,
        b"cprt": b"text" + bytes(4) + text,
        b"wtpt": _xyz_tag(_D50),
        **{name: _xyz_tag(adapted[:, at]) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12x4s4s", start + len(data), b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ",
        b"acsp", b"none",
    )  # fmt: skip
    header += bytes(68 - len(header)) + _numbers(_D50)
    return header + bytes(128 - len(header)) + table + data


def _xyz(x, y):
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _numbers(values):
    return struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _xyz_tag(values):
    return b"XYZ " + bytes(4) + _numbers(values)
