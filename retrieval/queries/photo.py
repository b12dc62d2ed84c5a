"""A picture as a query: a file, a Pillow picture, or an array."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from retrieval.errors import PictureError, QueryError
from retrieval.pictures import decode, read_file
from retrieval.pictures.decoding import from_array, upright
from retrieval.queries.inputs import Input, existing_file


def read_photo(source: object) -> Input:
    """A picture, decoded exactly as a gallery's pictures are.

    Args:
        source: a path, a Pillow picture of any mode, or a uint8 array (H, W, 3).

    Raises:
        QueryError: no such file, not a picture, another type; the message names the file.
    """
    name = None
    try:
        if isinstance(source, Image.Image):
            image = upright(source)
        elif isinstance(source, np.ndarray):
            image = upright(from_array(source))
        elif isinstance(source, (str, os.PathLike)):
            path = existing_file(source, "a picture")
            name = path.name
            image = decode(read_file(path).content).image
        else:
            raise PictureError(
                f"expected a path, a Pillow picture or an array, got {type(source).__name__}"
            )
    except PictureError as error:
        where = source if isinstance(source, (str, os.PathLike)) else "image"
        raise QueryError(f"{where}: {error}") from None
    except OSError as error:
        raise QueryError(f"image: the picture cannot be read: {error}") from None
    return Input("image", image, name)
