"""A picture as a query: a file, a Pillow picture, or an array."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from PIL import Image

from retrieval.errors import PictureError, QueryError
from retrieval.pictures import decode, read_file
from retrieval.pictures.decoding import from_array, upright
from retrieval.pictures.facts import read_facts
from retrieval.queries.inputs import Input, existing_file


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture, decoded exactly as a gallery's pictures are.

    Attributes:
        image: RGB, upright, perhaps shrunk.
        size: width and height before that, in pixels.
        name: of its file, if any.
    """

    image: Image.Image
    size: tuple[int, int]
    name: str | None = None


def open_photo(source: object) -> Photo:
    """A picture to look at.

    Args:
        source: a path, a Pillow picture of any mode, or a uint8 array (H, W, 3).

    Raises:
        QueryError: no such file, not a picture, another type; the message names the file.
    """
    try:
        if isinstance(source, np.ndarray):
            source = from_array(source)
        if isinstance(source, Image.Image):
            facts = read_facts(source)
            return Photo(upright(source), (facts.width, facts.height))
        if isinstance(source, (str, os.PathLike)):
            path = existing_file(source, "a picture")
            decoded = decode(read_file(path).content)
            facts = decoded.facts
            return Photo(decoded.image, (facts.width, facts.height), path.name)
        raise PictureError(
            f"expected a path, a Pillow picture or an array, got {type(source).__name__}"
        )
    except PictureError as error:
        where = source if isinstance(source, (str, os.PathLike)) else "image"
        raise QueryError(error, where=where) from None
    except (OSError, ValueError) as error:  # a lazily loaded file; a mode without colours (LAB)
        raise QueryError(f"the picture cannot be read: {error}", where="image") from None


def read_photo(source: object) -> Input:
    """A picture, for its pixels.

    Raises:
        QueryError: as `open_photo`.
    """
    photo = open_photo(source)
    return Input("image", photo.image, photo.name)
