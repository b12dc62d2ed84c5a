"""Pictures that are no photos, as queries."""

from __future__ import annotations

from retrieval.queries.inputs import Input
from retrieval.queries.photo import open_photo


def read_drawing(source: object, kind: str) -> Input:
    """A picture of another kind, RGB: surface normals, edges (light lines on dark).

    Raises:
        QueryError: as `open_photo`.
    """
    photo = open_photo(source)
    return Input(kind, photo.image, photo.name)
