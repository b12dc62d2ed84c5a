"""Opening the files and arrays of segmentation maps and masks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from retrieval.errors import QueryError
from retrieval.images.decoding import MAX_PIXELS
from retrieval.inputs import existing_file
from retrieval.inputs.arrays import read_npy

_FORMATS = ("PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG")


@contextmanager
def open_map(source: str | os.PathLike[str]) -> Iterator[Image.Image | NDArray[Any]]:
    """A map's file, opened: an image as it is stored, or the array of a `.npy` file.

    Raises:
        QueryError: no such file, not an image, damaged, or too large.
    """
    path = existing_file(source, "a segmentation map")
    if path.suffix.lower() == ".npy":
        yield read_npy(path)
        return
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            opened.load()
            yield opened
    except QueryError:
        raise
    except UnidentifiedImageError:
        raise QueryError("not an image; expected a PNG or a .npy array", where=path) from None
    except Image.DecompressionBombError:
        raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=path) from None
    except PermissionError:
        raise QueryError("no permission to read the file", where=path) from None
    except Exception as error:  # decoders raise errors of many types
        raise QueryError(f"truncated or damaged ({error})", where=path) from None


def array_of(source: object) -> NDArray[Any]:
    """Anything that converts itself to an array, as one; a tensor on its way from the CPU.

    Raises:
        QueryError: it does not.
    """
    try:
        return np.asarray(source)
    except Exception as error:  # the object's own conversion may raise anything
        raise QueryError(f"cannot be read as an array ({error})", where="seg") from None
