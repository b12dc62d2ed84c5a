"""Depth, normals and edges."""

import numpy as np
import pytest
import torch
from PIL import Image

from fourm.errors import BadInput
from fourm.modalities.depth import square_depth, standardised
from fourm.modalities.edges import square_edges
from fourm.modalities.normals import flipped, square_normals
from fourm.modalities.pixels import centred
from tests.fourm.recorded import assert_close, recorded


def test_depth():
    want = recorded("pixels.safetensors")
    given = want["depth_u16"].numpy().astype(np.uint16)
    assert_close(torch.from_numpy(square_depth(given, 64)), want["depth"], 1e-5)
    # As floats from 0 to 1 it is the same map.
    assert_close(torch.from_numpy(square_depth(given / 65535, 64)), want["depth"], 1e-5)


def test_depth_is_resized_as_images_are():
    """By PIL's default filter (4M-21 reference, sec. 5), then standardised."""
    given = np.random.default_rng(0).integers(0, 65536, (300, 450)).astype(np.uint16)
    middle = Image.fromarray(given[:, 75:375].astype(np.int32))
    resized = torch.from_numpy(np.array(middle.resize((224, 224)))).double()[None] / 65535
    ordered = resized.flatten().sort().values[224 * 224 // 10 : 224 * 224 * 9 // 10]
    want = (resized - ordered.mean()) / (ordered.var() + 1e-6).sqrt()
    assert_close(torch.from_numpy(square_depth(given)).double(), want, 1e-3)


def test_inverted_depth():
    depth = np.random.default_rng(0).random((10, 10), np.float32)
    np.testing.assert_allclose(square_depth(depth, 10, invert=True), -square_depth(depth, 10), 1e-4)


def test_flat_depth_becomes_zeros():
    assert not square_depth(np.full((9, 7), 3, np.uint8), 4).any()
    assert not standardised(np.ones((1, 1), np.float32)).any()


def test_depth_is_cropped_to_the_central_square():
    depth = np.tile(np.arange(8.0), (4, 1))
    np.testing.assert_allclose(square_depth(depth, 4), square_depth(depth[:, 2:6], 4))


@pytest.mark.parametrize(
    "depth",
    [
        np.zeros((2, 2, 1)),
        np.zeros((0, 2)),
        np.zeros((2, 2), bool),
        np.zeros((2, 2), complex),
        np.array([["a", "b"]]),
        np.array([[object()]]),
        np.array([[1.0, np.nan]]),
        np.array([[1.0, np.inf]]),
    ],
    ids=["axes", "empty", "bool", "complex", "text", "objects", "nan", "inf"],
)
def test_what_is_not_a_depth_map(depth):
    with pytest.raises(BadInput, match="depth map"):
        square_depth(depth)


def test_normals():
    want = recorded("pixels.safetensors")
    pixels = square_normals(want["normal_u8"].numpy(), 96)
    assert_close(centred(torch.from_numpy(pixels)), want["normal"], 1e-6)


def test_mirrored_normals():
    pixels = np.arange(3 * 2 * 2, dtype=np.uint8).reshape(3, 2, 2)
    mirrored = flipped(pixels)
    assert mirrored[0].tolist() == [[254, 255], [252, 253]]
    assert mirrored[1].tolist() == [[5, 4], [7, 6]]
    assert (flipped(mirrored) == pixels).all()


@pytest.mark.parametrize("form", [np.array, Image.fromarray, lambda a: np.stack([a] * 3, -1)])
def test_edges(form):
    lines = np.zeros((6, 6), np.uint8)
    lines[2] = 255
    assert (square_edges(form(lines), 6) == lines[None]).all()


@pytest.mark.parametrize(
    "edges", [np.zeros((4, 4)), np.zeros((0, 4), np.uint8), "edges.png", None], ids=str
)
def test_what_is_not_an_edge_image(edges):
    with pytest.raises(BadInput, match="image"):
        square_edges(edges)
