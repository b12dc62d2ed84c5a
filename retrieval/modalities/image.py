"""Images: photos, for their pixels."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from retrieval.inputs import Input
from retrieval.modalities.drawings import BGR, draw_image, read_image
from retrieval.modalities.modality import Items, Modality, Source
from retrieval.suffixes import IMAGE_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from retrieval.images import ImageInfo


def _decode(content: bytes, path: str) -> tuple[Input, ImageInfo]:
    from retrieval.images import decode

    decoded = decode(content, path)
    return Input("image", decoded.image, path), decoded.info


IMAGE = Modality(
    "image",
    "Image",
    (
        Source(
            "image",
            "FILE",
            "Image to find similar ones of.",
            read=partial(read_image, modality="image"),
            items=Items("images", IMAGE_SUFFIXES | RAW_SUFFIXES, decode=_decode),
            modifiers=(BGR,),
        ),
    ),
    draw=draw_image,
    part_of_photo=False,
    is_photo=True,
    aliases=("rgb",),
    generated_as="image_tokens",
)
