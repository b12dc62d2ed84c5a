"""Pictures that are no photos, and what is computed from a photo, as queries."""

from __future__ import annotations

from PIL import Image

from fourm.modalities.canny import canny_edges
from fourm.modalities.palette import palette_of
from retrieval.queries.inputs import Input
from retrieval.queries.named import named
from retrieval.queries.photo import read_photo


def read_drawing(source: object, kind: str) -> Input:
    """A picture of another kind, RGB: surface normals, edges (light lines on dark).

    Raises:
        QueryError: as `read_photo`.
    """
    read = read_photo(source)
    return Input(kind, read.value, read.name)


def read_canny(source: object) -> Input:
    """The Canny edges of a photo, as an edge picture of 224 x 224."""
    read = read_photo(source)
    with named(read.name or "canny"):
        return Input("edges", Image.fromarray(canny_edges(read.value)[0]), read.name)


def read_palette_of(source: object) -> Input:
    """The five main colours of a photo."""
    read = read_photo(source)
    with named(read.name or "palette of"):
        return Input("palette", palette_of(read.value), read.name)
