import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

from retrieval.images.decoding import decode
from tests.retrieval.images.encoding import (
    COLOURS,
    corners,
    encoded,
    near,
    quarters,
)
from tests.retrieval.images.icc import ADOBE_RGB, DISPLAY_P3, matrix_profile, press_profile, printed

MUTED = [(180, 60, 50), (70, 150, 80), (60, 80, 170), (200, 190, 60)]


def seen(image, form="PNG", **options):
    return np.asarray(decode(encoded(image, form, **options)).image).astype(int)


class TestTransparency:
    def test_a_white_shape_on_clear_can_be_seen(self):
        clear = Image.new("RGBA", (200, 200), (255, 255, 255, 0))
        empty, circle, square = clear.copy(), clear.copy(), clear.copy()
        ImageDraw.Draw(circle).ellipse([40, 40, 160, 160], fill=(255, 255, 255, 255))
        ImageDraw.Draw(square).rectangle([40, 40, 160, 160], fill=(255, 255, 255, 255))
        shown = [seen(image) for image in (empty, circle, square)]
        assert np.ptp(shown[1]) == 255
        assert not np.array_equal(shown[1], shown[2])
        assert np.ptp(shown[0]) == 0

    @pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (250, 240, 0)])
    def test_content_of_any_colour_can_be_seen(self, colour):
        image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
        ImageDraw.Draw(image).line([10, 10, 90, 50, 20, 90], fill=(*colour, 255), width=6)
        shown = seen(image)
        assert np.abs(shown - shown[0, 0]).max() >= 60

    def test_dark_content_lies_over_white(self):
        image = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
        ImageDraw.Draw(image).rectangle([20, 20, 80, 80], fill=(30, 60, 90, 255))
        assert tuple(seen(image)[0, 0]) == (255, 255, 255)

    def test_an_alpha_of_zero_everywhere_is_no_alpha(self):
        image = quarters().convert("RGBA")
        image.putalpha(0)
        assert near(corners(decode(encoded(image)).image), COLOURS)


class TestProfiles:
    @pytest.mark.parametrize("space", [DISPLAY_P3, ADOBE_RGB])
    @pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG"])
    @pytest.mark.parametrize("alpha", [False, True])
    def test_a_wide_space_gives_the_colours_of_srgb(self, space, form, alpha):
        profile = matrix_profile(*space)
        shown = quarters(colours=MUTED)
        stored = ImageCms.profileToProfile(
            shown, ImageCms.createProfile("sRGB"), ImageCms.getOpenProfile(io.BytesIO(profile))
        )
        assert not near(corners(stored), MUTED, within=5)
        if alpha and form != "JPEG":
            stored.putalpha(255)
        content = encoded(stored, form, icc_profile=profile)
        assert near(corners(decode(content).image), MUTED, within=4)

    @pytest.mark.parametrize("form", ["JPEG", "TIFF"])
    def test_inks_of_a_press_give_the_colours_that_are_printed(self, form):
        inks = [(0.75, 0.25, 0, 0), (0, 0.5, 0.75, 0), (0.25, 0.25, 0.5, 0.25), (0, 0, 0, 0.5)]
        linear = printed(inks)
        shown = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
        expected = [tuple(np.rint(255 * colour).astype(int).tolist()) for colour in shown]
        stored = Image.merge(
            "CMYK", [quarters(colours=[(round(255 * one),) * 3 for one in ink]).getchannel(0)
                     for ink in zip(*inks, strict=True)]
        )  # fmt: skip
        plain = decode(encoded(stored, form)).image
        assert not near(corners(plain), expected, within=25)
        content = encoded(stored, form, icc_profile=press_profile())
        assert near(corners(decode(content).image), expected, within=5)

    def test_lab_is_converted(self):
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        as_lab = ImageCms.profileToProfile(quarters(colours=MUTED), srgb, lab, outputMode="LAB")
        profile = ImageCms.ImageCmsProfile(lab).tobytes()
        stored = encoded(as_lab, "TIFF", icc_profile=profile)
        assert near(corners(decode(stored).image), MUTED, within=4)

    @pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
    def test_a_broken_profile_is_left_out(self, form):
        stored = encoded(quarters(), form, icc_profile=b"not a profile" * 20)
        assert near(corners(decode(stored).image), COLOURS)

    def test_a_profile_of_another_kind_of_image_is_left_out(self):
        lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
        stored = encoded(quarters(), "PNG", icc_profile=lab)
        assert corners(decode(stored).image) == COLOURS


class TestRanges:
    RAMP = np.tile(np.linspace(0, 1, 120), (80, 1))

    @pytest.mark.parametrize("bits", [10, 12, 14, 16])
    def test_fewer_bits_in_sixteen_are_stretched(self, bits):
        values = np.rint(self.RAMP * ((1 << bits) - 1)).astype(np.uint16)
        shown = seen(Image.fromarray(values))
        assert shown.min() == 0 and shown.max() == 255
        assert abs(int(shown[0, 60, 0]) - 128) <= 2

    @pytest.mark.parametrize("low, high", [(200, 3000), (-50, 20), (-1, 1), (1e5, 1e6)])
    def test_floats_of_any_range_are_stretched(self, low, high):
        values = (low + self.RAMP * (high - low)).astype(np.float32)
        shown = seen(Image.fromarray(values), "TIFF")
        assert shown.min() == 0 and shown.max() == 255
        assert abs(int(shown[0, 60, 0]) - 128) <= 4

    def test_signed_numbers_are_stretched(self):
        values = np.rint(-500 + self.RAMP * 1000).astype(np.int32)
        shown = seen(Image.fromarray(values), "TIFF")
        assert shown.min() == 0 and shown.max() == 255

    @pytest.mark.parametrize("nothing", [np.nan, np.inf, -3.4e38])
    def test_values_that_say_nothing_are_black(self, nothing):
        values = (200 + self.RAMP * 2800).astype(np.float32)
        values[:, :10] = nothing
        shown = seen(Image.fromarray(values), "TIFF")
        assert shown[:, :10].max() == 0 and shown.max() == 255
        assert abs(int(shown[0, 64, 0]) - 128) <= 8

    def test_the_no_data_value_of_the_file_is_left_out(self):
        values = (200 + self.RAMP * 2800).astype(np.float32)
        values[:, :10] = -9999
        shown = seen(Image.fromarray(values), "TIFF", tiffinfo={42113: "-9999"})
        assert shown[:, :10].max() == 0
        assert abs(int(shown[0, 64, 0]) - 128) <= 8

    def test_the_range_that_the_file_names_is_used(self):
        values = (self.RAMP * 100).astype(np.float32)
        shown = seen(Image.fromarray(values), "TIFF", tiffinfo={340: 0.0, 341: 200.0})
        assert abs(shown.max() - 128) <= 1

    def test_one_value_everywhere_is_one_grey(self):
        assert np.ptp(seen(Image.fromarray(np.full((8, 8), 7e5, np.float32)), "TIFF")) == 0
