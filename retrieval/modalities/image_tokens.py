"""Images as tokens of a VQ-VAE, in place of their pixels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from retrieval.inputs import Input
from retrieval.modalities.drawings import (
    BGR,
    IMAGE_ITEMS,
    draw_image,
    draw_pixels,
    read_image,
    shape_text,
    write_pixels,
)
from retrieval.modalities.modality import Modality, Output, Source

if TYPE_CHECKING:
    from retrieval.inputs.images import Photo


def _compute(photo: Photo) -> Input:
    return Input("image_tokens", photo.image, photo.name, "computed")


IMAGE_TOKENS = Modality(
    "image_tokens",
    "Image, as tokens",
    (
        Source(
            "image_tokens",
            "FILE",
            "Image that the model reads as tokens, not as pixels.",
            read=partial(read_image, modality="image_tokens"),
            items=IMAGE_ITEMS,
            modifiers=(BGR,),
        ),
    ),
    draw=draw_image,
    output=Output(
        (".png",),
        write=write_pixels,
        draw=draw_pixels,
        summary=shape_text,
        title="Image",
        stem="rgb",
        preview=1,
    ),
    compute=_compute,
    is_photo=True,
)
