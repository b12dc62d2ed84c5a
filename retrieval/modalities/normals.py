"""Surface normals."""

from __future__ import annotations

from functools import partial

from retrieval.modalities.drawings import (
    BGR,
    draw_image,
    draw_pixels,
    read_image,
    shape_text,
    write_pixels,
)
from retrieval.modalities.modality import Items, Modality, Output, Source
from retrieval.suffixes import IMAGE_SUFFIXES

NORMALS = Modality(
    "normals",
    "Surface normals",
    (
        Source(
            "normals",
            "FILE",
            "Surface normals: a PNG, x, y and z as red, green and blue.",
            read=partial(read_image, modality="normals"),
            items=Items("surface normals", IMAGE_SUFFIXES),
            modifiers=(BGR,),
        ),
    ),
    draw=draw_image,
    output=Output((".png",), write=write_pixels, draw=draw_pixels, summary=shape_text),
    aliases=("normal",),
)
