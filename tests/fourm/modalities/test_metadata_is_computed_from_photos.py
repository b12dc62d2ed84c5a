"""Metadata that is computed from the photo alone."""

import colorsys

import numpy as np
import pytest
from PIL import Image

import fourm
from fourm.modalities.metadata import COMPUTABLE, KEYS, computable_metadata, metadata_text

RNG = np.random.default_rng(0)


def plain(colour, size=(40, 30)):
    return Image.new("RGB", size, colour)


def test_every_key_by_its_definition():
    pixels = RNG.integers(0, 256, (37, 53, 3), np.uint8)
    facts = computable_metadata(pixels)
    grey = np.asarray(Image.fromarray(pixels).convert("L")).astype(float)
    red, green, blue = pixels.astype(float).transpose(2, 0, 1)
    rg, yb = red - green, (red + green) / 2 - blue
    shares = np.unique(grey, return_counts=True)[1] / grey.size
    saturations = [colorsys.rgb_to_hsv(*p)[1] * 255 for p in pixels.reshape(-1, 3) / 255]
    assert (facts["original_width"], facts["original_height"]) == (53, 37)
    assert facts["brightness"] == pytest.approx(grey.mean())
    assert facts["contrast"] == pytest.approx(grey.std())
    assert facts["entropy"] == pytest.approx(-(shares * np.log2(shares)).sum())
    assert facts["saturation"] == pytest.approx(np.mean(saturations), abs=1)  # PIL rounds to bytes
    assert facts["colorfulness"] == pytest.approx(
        np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())
    )


def test_uniform_photos():
    grey = computable_metadata(plain((100, 100, 100)))
    assert grey["brightness"] == pytest.approx(100)
    for name in ("contrast", "colorfulness", "saturation", "entropy"):
        assert grey[name] == pytest.approx(0, abs=1e-6)
    red = computable_metadata(plain((255, 0, 0)))
    assert red["saturation"] == 255
    assert red["colorfulness"] == pytest.approx(0.3 * np.hypot(255, 127.5))


def test_two_halves_are_one_bit():
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, 20:] = 255
    facts = computable_metadata(pixels)
    assert facts["entropy"] == pytest.approx(1)
    assert facts["contrast"] == pytest.approx(127.5)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK"])
def test_every_mode_is_read_and_every_value_can_be_written(mode):
    photo = Image.fromarray(RNG.integers(0, 256, (31, 64, 3), np.uint8)).convert(mode)
    facts = computable_metadata(photo)
    assert tuple(facts) == COMPUTABLE == tuple(name for name in KEYS if name in facts)
    assert metadata_text(facts).startswith("v1=0 v0=2 v1=1 v0=0 ")
    for name, value in facts.items():
        assert KEYS[name].low <= value <= max(KEYS[name].high, 127.5)


@pytest.mark.parametrize("image", [None, "photo.jpg", np.zeros((0, 4, 3), np.uint8), np.ones(3)])
def test_what_is_not_an_image(image):
    with pytest.raises(fourm.BadInput):
        computable_metadata(image)
