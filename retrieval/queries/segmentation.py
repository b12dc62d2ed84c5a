"""Segmentation maps as a query: which COCO panoptic class is where.

A map may come as
- a greyscale picture, 8 or 16 bits, whose values are category ids (0 = nothing);
- an RGB picture in the colours that `fourm classes` prints (black = nothing);
- a palette picture: by its colours when all that it uses are class colours, else by its indices;
- an array of any of these, or a `.npy` file of one.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from fourm.messages import shown
from fourm.modalities.palette import written_colour
from retrieval.errors import QueryError
from retrieval.pictures.decoding import MAX_PIXELS
from retrieval.queries.arrays import read_npy
from retrieval.queries.class_table import Ids, coco_panoptic
from retrieval.queries.inputs import Input, existing_file

_LOSSY = {"JPEG", "MPO"}
_FORMATS = ("PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG")
_SHOWN = 3


def read_segmentation(source: object) -> Input:
    """A map of category ids, int32 (H, W), at the size it was given.

    Raises:
        QueryError: no such file, not a map, an id or a colour that no class has (the message names
            it and says how many pixels have it).
    """
    if isinstance(source, (str, os.PathLike)):
        path = existing_file(source, "a segmentation map")
        return Input("seg", _from_file(path), path.name)
    if isinstance(source, Image.Image):
        return Input("seg", _from_picture(source, "seg"))
    try:
        array = np.asarray(source)
    except Exception as error:  # whatever the object's own conversion raises
        raise QueryError(f"cannot be taken as an array ({error})", where="seg") from None
    return Input("seg", _from_array(array, "seg"))


def _from_file(path: Path) -> Ids:
    if path.suffix.lower() == ".npy":
        return _from_array(read_npy(path), str(path))
    try:
        with Image.open(path, formats=_FORMATS) as opened:
            if opened.format in _LOSSY:
                raise QueryError(
                    f"{opened.format} changes the values of a map; save it as PNG", where=path
                )
            if opened.width * opened.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            opened.load()
            return _from_picture(opened, str(path))
    except QueryError:
        raise
    except UnidentifiedImageError:
        raise QueryError("not a picture; expected a PNG or a .npy array", where=path) from None
    except Image.DecompressionBombError:
        raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=path) from None
    except PermissionError:
        raise QueryError("no permission to read the file", where=path) from None
    except Exception as error:  # whatever a decoder stumbles over
        raise QueryError(f"truncated or damaged ({error})", where=path) from None


def _from_picture(image: Image.Image, name: str) -> Ids:
    mode = image.mode
    if mode == "P":
        return _from_palette(image, name)
    if mode in ("L", "1") or mode.startswith("I"):
        return _checked_ids(np.asarray(image), name)
    if mode == "LA":
        grey, alpha = np.moveaxis(np.asarray(image), -1, 0)
        return _checked_ids(np.where(alpha == 0, 0, grey), name)
    if mode == "RGBA":
        pixels = np.array(image)
        pixels[pixels[..., 3] == 0] = 0
        return _from_colours(pixels[..., :3], name)
    if mode == "RGB":
        return _from_colours(np.asarray(image), name)
    raise QueryError(
        f"a {mode} picture is not a segmentation map; save it as a greyscale PNG of ids", where=name
    )


def _from_palette(image: Image.Image, name: str) -> Ids:
    indices = np.asarray(image)
    entries = np.zeros((256, 3), np.uint8)
    palette = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
    entries[: len(palette)] = palette
    ids, strange = coco_panoptic().ids_of_colours(entries[indices])
    if not strange:
        return ids
    if not coco_panoptic().unknown_ids(indices):
        return indices.astype(np.int32)
    raise QueryError(f"{_colour_error(name, strange)}; nor are the palette's indices category ids")


def _from_array(array: NDArray[np.generic], name: str) -> Ids:
    coloured = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
    if not coloured and (array.ndim != 2 or array.dtype.kind not in "iub"):
        raise QueryError(
            "expected whole numbers (H, W) or uint8 colours (H, W, 3), "
            f"got {array.dtype} {shown(array.shape)}",
            where=name,
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS:
        raise QueryError(f"more than the limit of {MAX_PIXELS} pixels", where=name)
    return _from_colours(array.view(np.uint8), name) if coloured else _checked_ids(array, name)


def _checked_ids(values: NDArray[np.generic], name: str) -> Ids:
    numbers = values.astype(np.uint8) if values.dtype.kind == "b" else values
    if not numbers.size:
        raise QueryError("the map has no pixels", where=name)
    strange = coco_panoptic().unknown_ids(numbers)
    if strange:
        shown = [f"id {number} ({_pixels(count)})" for number, count in strange]
        raise QueryError(
            f"{_some(shown)} is no COCO panoptic category; `fourm classes` lists them", where=name
        )
    return numbers.astype(np.int32)


def _from_colours(pixels: NDArray[np.uint8], name: str) -> Ids:
    if not pixels.size:
        raise QueryError("the map has no pixels", where=name)
    ids, strange = coco_panoptic().ids_of_colours(pixels)
    if strange:
        raise QueryError(_colour_error(name, strange))
    return ids


def _colour_error(name: str, strange: list[tuple[tuple[int, int, int], int]]) -> str:
    shown = [f"colour {written_colour(colour)} ({_pixels(count)})" for colour, count in strange]
    hint = "`fourm classes` lists them"
    if all(red == green == blue for (red, green, blue), _ in strange):
        hint = "if its greys are category ids, save it as a greyscale PNG"
    return f"{name}: {_some(shown)} belongs to no class; {hint}"


def _pixels(count: int) -> str:
    return f"{count} pixel" if count == 1 else f"{count} pixels"


def _some(shown: list[str]) -> str:
    rest = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
