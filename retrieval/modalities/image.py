"""Images: photos, for their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from retrieval.inputs import Input
from retrieval.modalities.drawings import BGR, draw_image, read_image
from retrieval.modalities.modality import Items, Modality, Source
from retrieval.suffixes import IMAGE_SUFFIXES, RAW_SUFFIXES

if TYPE_CHECKING:
    from indexes.records import Box
    from retrieval.images import ImageInfo


def _read(source: object, *, bgr: bool = False) -> Input:
    from retrieval.images.squares import WIDE

    read = read_image(source, "image", bgr=bgr)
    short, long = sorted(read.value.size)
    if long < WIDE * short:
        return read
    return replace(read, notes=("only the central square is used; crop it to use another part",))


def _decode(content: bytes, path: str) -> tuple[Input, ImageInfo]:
    from retrieval.errors import ItemError
    from retrieval.images import decode
    from retrieval.images.contact_sheets import is_contact_sheet

    if is_contact_sheet(content):
        raise ItemError("left out: a contact sheet that fourm wrote")
    decoded = decode(content, path)
    return Input("image", decoded.image, path), decoded.info


def _squares(width: int, height: int) -> Sequence[Box]:
    from retrieval.images.squares import squares

    return squares(width, height)


def _square(whole: Input, box: Box) -> Input:
    from retrieval.images.squares import cut

    return replace(whole, value=cut(whole.value, box))


IMAGE = Modality(
    "image",
    "Image",
    (
        Source(
            "image",
            "FILE",
            "Image to find similar ones of.",
            read=_read,
            items=Items(
                "images",
                IMAGE_SUFFIXES | RAW_SUFFIXES,
                decode=_decode,
                boxes=_squares,
                part=_square,
            ),
            modifiers=(BGR,),
        ),
    ),
    draw=draw_image,
    part_of_photo=False,
    is_photo=True,
    aliases=("rgb",),
    generated_as="image_tokens",
)
