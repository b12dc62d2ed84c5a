"""Photos as pixels (4M-21 reference: rgb@224)."""

from __future__ import annotations

from fourm.imagenet import imagenet_normalised
from fourm.modalities.modality import Modality
from fourm.modalities.pixels import pixel_codec, square_pixels
from fourm.tokens import TokenSpec

IMAGE = Modality(
    name="image",
    tokens=TokenSpec("rgb@224", "pixels", 196, "sincos2d", 196),
    codecs={"pixels": pixel_codec(square_pixels, imagenet_normalised, channels=3)},
    shows_image=True,
    in_fingerprint=True,
)
