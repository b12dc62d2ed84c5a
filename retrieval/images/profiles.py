"""Colours of any ICC profile as sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

from PIL import Image, ImageCms

_MODES = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "L": "L", "LA": "L", "LAB": "LAB"}
_SPACES = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY", "LAB": "Lab "}


def to_srgb(image: Image.Image) -> Image.Image:
    """The image with its colours converted from its ICC profile to sRGB, alpha kept.

    Without a profile, with one that cannot be used, or with sRGB itself, the image as it is.
    """
    profile = image.info.get("icc_profile")
    mode = _MODES.get(image.mode)
    if not profile or mode is None:
        return image
    transform = _transform(bytes(profile), mode)
    if transform is None:
        return image
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    plain = image if image.mode == mode else image.convert(mode)
    try:
        converted = ImageCms.applyTransform(plain, transform)
    except ImageCms.PyCMSError:
        return image
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    """From a profile to sRGB; None where it is sRGB, damaged, or of another kind of image."""
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode]:
            return None
        if mode == "RGB" and "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None
