"""ICC profiles: of RGB spaces, made from their primaries, and of a press, from its inks."""

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
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {
        **{name: _xyz_tag(adapted[:, at]) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def _profile(device, space, connection, tags):
    text = b"test\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(8 + 2 + 1 + 67)
    tags = {
        b"desc": described,
        b"cprt": b"text" + bytes(4) + text,
        b"wtpt": _xyz_tag(_D50),
        **tags,
    }
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12x4s4s", start + len(data), b"none", 0x02400000, device, space, connection,
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


INKS = np.array([[0.02, 0.35, 0.75], [0.70, 0.02, 0.20], [0.85, 0.75, 0.02], [0.02, 0.02, 0.02]])
"""Linear red, green and blue that full cyan, magenta, yellow and black leave of white paper."""

DOT_GAIN = 0.7
_SRGB_TO_D50 = np.array(
    [[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7142]]
)


def printed(inks):
    """Linear red, green and blue (n, 3), 0 to 1, of inks (n, 4), 0 to 1: dots become larger on
    paper, and each ink takes its share of the light."""
    grown = np.asarray(inks, float) ** DOT_GAIN
    return np.prod(1 - grown[..., None] * (1 - INKS), axis=-2)


def press_profile(grid=9):
    """A version 2 profile of a press: a table from CMYK to Lab of what `printed` says."""
    steps = np.linspace(0, 1, grid)
    inks = np.stack(np.meshgrid(steps, steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 4)
    ratio = printed(inks) @ _SRGB_TO_D50.T / _D50
    cube = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    x, y, z = cube.T
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    codes = np.rint((lab + np.array([0, 128, 128])) * [0xFF00 / 100, 256, 256]).clip(0, 0xFFFF)
    straight = struct.pack(">2H", 0, 0xFFFF)
    matrix = struct.pack(">9i", *(np.eye(3, dtype=int) << 16).reshape(-1).tolist())
    table = b"mft2" + bytes(4) + bytes([4, 3, grid, 0]) + matrix + struct.pack(">2H", 2, 2)
    table += 4 * straight + codes.astype(">u2").tobytes() + 3 * straight
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})
