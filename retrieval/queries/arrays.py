"""Arrays as queries: depth maps, features and embeddings of other networks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fourm.messages import shown
from retrieval.errors import QueryError
from retrieval.pictures.decoding import MAX_PIXELS
from retrieval.queries.inputs import Input, existing_file

NEAR = ("low", "high")
"""Which values of a depth map are near."""

_DEPTH_FORMATS = ("PNG", "TIFF", "PPM", "BMP")


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a .npy file; nothing in the file is executed.

    Raises:
        QueryError: not such a file, cut short, too large, or an array of objects.
    """
    try:
        # Mapped: a header that promises more than the file has is refused before memory is taken.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy's parser raises what it stumbles over
        reason = _reason(str(error))
        raise QueryError(f"not a readable .npy array ({reason})", where=path) from None
    if not isinstance(array, np.ndarray):
        raise QueryError("holds several arrays (.npz); save the one as .npy", where=path)
    return array


def _reason(said: str) -> str:
    """What numpy says, but for its advice to load the file unsafely."""
    if "Python objects" in said:
        return "it holds Python objects; save plain numbers"
    if "pickled" in said:
        return "it is another kind of file"
    return shown(said, 120).strip("'\"")


def numbers(source: object, kind: str) -> tuple[NDArray[Any], str | None]:
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
        except Exception as error:  # whatever the object's own conversion raises
            raise QueryError(f"cannot be taken as an array ({error})", where=kind) from None
    where = source if name else kind
    if array.dtype.kind not in "uif":
        raise QueryError(f"expected an array of numbers, got one of {array.dtype}", where=where)
    if not 0 < array.size <= MAX_PIXELS:
        raise QueryError(
            f"expected 1 to {MAX_PIXELS} numbers, got {shown(array.shape)}", where=where
        )
    check_finite(array, str(where))
    return np.array(array), name


def check_finite(array: NDArray[Any], where: str) -> None:
    """Refuse numbers that no model can calculate with.

    Raises:
        QueryError: NaN, infinity, or something beyond single precision.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        single = array.astype(np.float32)
    if not np.isfinite(single).all():
        raise QueryError("holds NaN, infinity or a number beyond 3.4e38", where=where)


def read_features(source: object, kind: str) -> Input:
    """An array for the model to judge: only it knows the shape that it takes."""
    array, name = numbers(source, kind)
    return Input(kind, array, name)


def read_depth(source: object, near: object = "low") -> Input:
    """A depth map (H, W) with small values near.

    Args:
        source: a grey picture, 8 or 16 bits, a .npy file, a Pillow picture or an array.
        near: `low` if small values are near (distances), `high` if large ones are (disparity).

    Raises:
        QueryError: it is not such a map, or `near` is another word.
    """
    if near not in NEAR:
        raise QueryError(f"expected low or high, got {shown(near)}", where="depth near")
    name: str | None = None
    if isinstance(source, Image.Image):
        array = _grey(source, "depth")
    elif isinstance(source, (str, os.PathLike)) and Path(source).suffix.lower() != ".npy":
        path = existing_file(source, "a depth map")
        array, name = _from_picture(path), path.name
    else:
        array, name = numbers(source, "depth")
    if array.ndim != 2:
        where = source if name else "depth"
        raise QueryError(f"expected a depth map (H, W), got {shown(array.shape)}", where=where)
    if near == "high":
        # Bytes and 16 bits have a range; that of the other types means nothing.
        ranged = array.dtype in (np.uint8, np.uint16)
        array = np.iinfo(array.dtype).max - array if ranged else -array.astype(np.float64)
    return Input("depth", array, name)


def _from_picture(path: Path) -> NDArray[Any]:
    try:
        with Image.open(path, formats=_DEPTH_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=path)
            opened.load()
            return _grey(opened, str(path))
    except QueryError:
        raise
    except UnidentifiedImageError:
        raise QueryError("expected a depth map as PNG, TIFF or .npy", where=path) from None
    except Exception as error:  # whatever a decoder stumbles over
        raise QueryError(f"cannot be read ({error})", where=path) from None


def _grey(image: Image.Image, name: str) -> NDArray[Any]:
    if image.mode not in ("L", "F") and not image.mode.startswith("I"):
        raise QueryError(
            f"a depth map is a grey picture of 8 or 16 bits, this one is {image.mode}", where=name
        )
    array = np.array(image)
    # Pillow widens some 16-bit files; as 16 bits they keep their range.
    if array.dtype == np.int32 and array.size and array.min() >= 0 and array.max() < 1 << 16:
        array = array.astype(np.uint16)
    check_finite(array, name)
    return array
