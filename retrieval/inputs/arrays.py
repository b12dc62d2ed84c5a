"""Arrays of numbers: `.npy` files, grey images, and what is given in Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fourm.messages import shown
from retrieval.errors import QueryError
from retrieval.images.decoding import MAX_PIXELS
from retrieval.inputs import existing_file

_GREY_FORMATS = ("PNG", "TIFF", "PPM", "BMP")


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file; nothing in the file is executed.

    Raises:
        QueryError: not such a file, cut short, too large, or an array of objects.
    """
    try:
        # Mapped: a header that promises more than the file has is refused before memory is taken.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy's parser raises errors of many types
        reason = _reason(str(error))
        raise QueryError(f"not a readable .npy array ({reason})", where=path) from None
    if not isinstance(array, np.ndarray):
        raise QueryError("holds several arrays (.npz); save one array as .npy", where=path)
    return array


def _reason(said: str) -> str:
    """What numpy says, but for its advice to load the file unsafely."""
    if "Python objects" in said:
        return "it holds Python objects; save plain numbers"
    if "pickled" in said:
        return "it is another type of file"
    return shown(said, 120).strip("'\"")


def read_array(source: object, modality: str) -> tuple[NDArray[Any], str | None]:
    """Finite numbers of a .npy file, or of anything that is an array, and the file's name.

    Raises:
        QueryError: no such file, not numbers, none at all, too many, NaN or infinity.
    """
    name = None
    if isinstance(source, (str, os.PathLike)):
        path = existing_file(source, "a .npy file")
        if path.suffix.lower() != ".npy":
            raise QueryError("expected a .npy file", where=path)
        array, name = read_npy(path), path.name
    else:
        try:
            array = np.asarray(source)
        except Exception as error:  # the object's own conversion may raise anything
            raise QueryError(f"cannot be read as an array ({error})", where=modality) from None
    where = source if name else modality
    if array.dtype.kind not in "uif":
        raise QueryError(f"expected an array of numbers, got one of {array.dtype}", where=where)
    if not 0 < array.size <= MAX_PIXELS:
        raise QueryError(
            f"expected 1 to {MAX_PIXELS} numbers, got {shown(array.shape)}", where=where
        )
    check_finite(array, str(where))
    return np.array(array), name


def check_finite(array: NDArray[Any], where: str) -> None:
    """Refuse numbers that are not finite in single precision.

    Raises:
        QueryError: NaN, infinity, or a number beyond single precision.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        single = array.astype(np.float32)
    if not np.isfinite(single).all():
        raise QueryError("holds NaN, infinity or a number beyond 3.4e38", where=where)


def read_grey(path: Path) -> NDArray[Any]:
    """The values of a grey image file, (H, W).

    Raises:
        QueryError: not a grey image, damaged, too large.
    """
    try:
        with Image.open(path, formats=_GREY_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=path)
            opened.load()
            return grey_values(opened, str(path))
    except QueryError:
        raise
    except UnidentifiedImageError:
        raise QueryError("expected a depth map as PNG, TIFF or .npy", where=path) from None
    except Exception as error:  # decoders raise errors of many types
        raise QueryError(f"cannot be read ({error})", where=path) from None


def grey_values(image: Image.Image, where: str) -> NDArray[Any]:
    """The values of a grey Pillow image, (H, W), at their own depth.

    Raises:
        QueryError: an image with colours, NaN or infinity.
    """
    if image.mode not in ("L", "F") and not image.mode.startswith("I"):
        raise QueryError(
            f"expected a grey image of 8 or 16 bits, got mode {image.mode}", where=where
        )
    array = np.array(image)
    # Pillow widens some 16-bit files; as 16 bits they keep their range.
    if array.dtype == np.int32 and array.size and array.min() >= 0 and array.max() < 1 << 16:
        array = array.astype(np.uint16)
    check_finite(array, where)
    return array
