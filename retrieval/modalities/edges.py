"""Edges and line drawings; of photos, Canny edges."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from retrieval.inputs import Input
from retrieval.modalities.drawings import (
    BGR,
    IMAGE_ITEMS,
    draw_image,
    draw_pixels,
    read_lines,
    shape_text,
    write_pixels,
)
from retrieval.modalities.modality import Items, Modality, Output, Source
from retrieval.suffixes import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from retrieval.inputs.images import Photo


def _compute(photo: Photo) -> Input:
    """Canny edges, 224 x 224.

    Raises:
        fourm.BadInput: there are none.
    """
    from PIL import Image

    from fourm import BadInput
    from fourm.modalities.edges import canny_edges

    edges = canny_edges(photo.image)[0]
    if not edges.any():
        raise BadInput("there is no edge in the image")
    return Input("edges", Image.fromarray(edges), photo.name, "computed")


def _read_canny(source: object, *, bgr: bool = False) -> Input:
    from retrieval.inputs.images import compute_from

    return compute_from(source, _compute, "canny", bgr=bgr)


EDGES = Modality(
    "edges",
    "Edges",
    (
        Source(
            "edges",
            "FILE",
            "Edges or a line drawing: light lines on dark, or dark on light.",
            read=partial(read_lines, modality="edges"),
            items=Items("edge drawings", IMAGE_SUFFIXES),
            modifiers=(BGR,),
        ),
        Source(
            "canny",
            "FILE",
            "Photo to compute Canny edges from, used as --edges.",
            read=_read_canny,
            items=IMAGE_ITEMS,
            modifiers=(BGR,),
            of="edges",
        ),
    ),
    draw=draw_image,
    output=Output((".png",), write=write_pixels, draw=draw_pixels, summary=shape_text),
    compute=_compute,
)
