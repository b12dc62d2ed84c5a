import numpy as np
import pytest
import torch
from PIL import Image

from fourm.errors import BadInput
from fourm.imagenet import imagenet_normalised
from fourm.modalities.pixels import centred, square_box, square_pixels, uncentred
from tests.fourm.recorded import recorded


def test_cropping_resizing_and_normalising():
    want = recorded("pixels.safetensors")
    pixels = torch.from_numpy(square_pixels(want["pil_u8"].numpy()))
    assert torch.equal(pixels.permute(1, 2, 0), want["cropped_u8"])
    # Recorded in half precision: exact means the same after rounding.
    assert torch.equal(imagenet_normalised(pixels).half(), want["rgb_imagenet"])


def test_bytes_are_scaled_to_minus_one_and_one():
    assert centred(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1, 1]


def test_decoded_values_become_bytes_again():
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(uncentred(centred(every)), every)
    assert uncentred(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]


@pytest.mark.parametrize(
    ("size", "box"),
    [((150, 96), (27, 0, 123, 96)), ((96, 151), (0, 27, 96, 123)), ((5, 5), (0, 0, 5, 5))],
)
def test_the_square_is_central(size, box):
    assert square_box(*size) == box


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "LA"])
def test_every_mode_becomes_colour(mode):
    image = Image.new("RGB", (20, 10), (255, 255, 255)).convert(mode)
    pixels = square_pixels(image, 8)
    assert pixels.shape == (3, 8, 8)
    assert pixels.dtype == np.uint8
    assert (pixels == 255).all()


def test_the_result_is_writable():
    square_pixels(Image.new("RGB", (8, 8)), 8)[0, 0, 0] = 7


@pytest.mark.parametrize(
    "image",
    [
        "photo.jpg",
        None,
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        Image.new("RGB", (0, 4)),
    ],
    ids=["name", "none", "grey", "alpha", "float", "empty", "empty image"],
)
def test_what_is_not_an_image(image):
    with pytest.raises(BadInput, match="image"):
        square_pixels(image)
