"""Edges of objects, as SAM finds them."""

from __future__ import annotations

from functools import partial

from retrieval.modalities.drawings import (
    BGR,
    draw_image,
    draw_pixels,
    read_lines,
    shape_text,
    write_pixels,
)
from retrieval.modalities.modality import Items, Modality, Output, Source
from retrieval.suffixes import IMAGE_SUFFIXES

SAM_EDGES = Modality(
    "sam_edges",
    "Object edges",
    (
        Source(
            "sam_edges",
            "FILE",
            "Edges of objects, as SAM finds them: light lines on dark, or dark on light.",
            read=partial(read_lines, modality="sam_edges"),
            items=Items("edge drawings", IMAGE_SUFFIXES),
            modifiers=(BGR,),
        ),
    ),
    draw=draw_image,
    output=Output((".png",), write=write_pixels, draw=draw_pixels, summary=shape_text),
    aliases=("sam_edge",),
)
