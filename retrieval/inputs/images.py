"""Images: files, bytes, Pillow images, arrays and tensors. Arrays are RGB unless said otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.messages import shown
from retrieval.errors import ItemError, QueryError
from retrieval.images import decode, read_file
from retrieval.images.decoding import MAX_PIXELS, upright
from retrieval.images.info import read_image_info
from retrieval.images.reading import MAX_FILE_BYTES
from retrieval.inputs import Input, errors_of, existing_file


@dataclass(frozen=True, eq=False)
class Photo:
    """An image, decoded exactly as the images of a gallery are.

    Attributes:
        image: RGB, upright, possibly reduced.
        size: width and height before that, in pixels.
        name: of its file, if any.
    """

    image: Image.Image
    size: tuple[int, int]
    name: str | None = None


def open_image(source: object, where: str = "image", *, bgr: bool = False) -> Photo:
    """Open an image.

    Args:
        source: a path; the bytes of a file, or a file opened in binary mode, which is read from its
            position and left there; a Pillow image of any mode; a NumPy array (H, W), (H, W, 1),
            (H, W, 3) or (H, W, 4), or a torch tensor (H, W), (1, H, W), (3, H, W) or (4, H, W),
            uint8 or floats in [0, 1]. Three channels are RGB, four RGBA; transparent areas get a
            background against which the rest can be seen.
        where: the input that it is given for, for messages; those about a file name the file.
        bgr: arrays and tensors are BGR or BGRA, as OpenCV's are.

    Raises:
        QueryError: no such file, not an image, another type, shape or range.
    """
    name = None
    try:
        if isinstance(source, (str, os.PathLike)):
            where = str(source)
            path = existing_file(source, "an image")
            source, name = read_file(path, pipes=True).content, path.name
        elif hasattr(source, "read"):
            source = _content(source)
        if isinstance(source, (bytes, bytearray, memoryview)):
            decoded = decode(bytes(source), name)
            return Photo(decoded.image, (decoded.info.width, decoded.info.height), name)
        image = source if isinstance(source, Image.Image) else from_array(source, bgr=bgr)
        info = read_image_info(image)
        return Photo(upright(image), (info.width, info.height))
    except ItemError as error:
        raise QueryError(error, where=where) from None
    except (OSError, ValueError) as error:  # a lazily loaded file; a mode without colours (LAB)
        raise QueryError(f"the image cannot be read: {error}", where=where) from None


def _content(file: Any) -> bytes:
    start = file.tell() if _seekable(file) else None
    content = file.read(MAX_FILE_BYTES + 1)
    if start is not None:  # so that the same file can be given twice
        file.seek(start)
    if not isinstance(content, bytes):
        raise ItemError("expected a file opened in binary mode")
    if len(content) > MAX_FILE_BYTES:
        raise ItemError(f"file too large: the limit is {MAX_FILE_BYTES} bytes")
    return content


def _seekable(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return seekable is not None and bool(seekable())


def from_array(source: object, *, bgr: bool = False) -> Image.Image:
    """A NumPy array or torch tensor as an RGB or RGBA image; see `open_image`.

    Raises:
        ItemError: another type, dtype, shape or range.
    """
    if type(source).__module__.partition(".")[0] == "torch" and hasattr(source, "detach"):
        pixels = _from_tensor(source)
    elif hasattr(source, "__array__"):
        pixels = np.asarray(source)
    else:
        raise ItemError(
            "expected a path, a Pillow image, bytes, a binary file, an array or a tensor, "
            f"got {type(source).__name__}"
        )
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))):
        raise ItemError(
            f"expected an array (H, W), (H, W, 3) or (H, W, 4), got {shown(pixels.shape)}"
        )
    if not 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS:
        raise ItemError(f"expected 1 to {MAX_PIXELS} pixels, got {shown(pixels.shape)}")
    pixels = _bytes_of(pixels)
    if bgr and pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return image if image.mode == "RGBA" else image.convert("RGB")


def _from_tensor(tensor: Any) -> NDArray[Any]:
    """A torch tensor as an array, channels last."""
    try:
        tensor = tensor.detach().cpu()
        if tensor.is_floating_point():
            tensor = tensor.float()  # NumPy has no bfloat16
        pixels: NDArray[Any] = tensor.numpy(force=True)
    except (NotImplementedError, RuntimeError, TypeError) as error:
        # a sparse, nested or quantized tensor, or one on the device meta
        reason = str(error).partition("\n")[0]
        raise ItemError(f"expected a dense tensor of numbers ({reason})") from None
    if pixels.ndim == 2:
        return pixels
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3, 4):
        raise ItemError(f"expected a tensor (3, H, W), got {shown(pixels.shape)}")
    return np.moveaxis(pixels, 0, -1)


def _bytes_of(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind != "f":
        raise ItemError(f"expected uint8, or floats in [0, 1], got {pixels.dtype}")
    low, high = float(pixels.min()), float(pixels.max())
    if not 0 <= low <= high <= 1:  # NaN compares false
        raise ItemError(f"expected uint8, or floats in [0, 1], got {low:g} to {high:g}")
    scaled: NDArray[np.uint8] = np.rint(pixels.astype(np.float32) * 255).astype(np.uint8)
    return scaled


def compute_from(
    source: object, compute: Callable[[Photo], Input], where: str, *, bgr: bool = False
) -> Input:
    """What is computed from a photo that was given for that alone, as the input `where`.

    Raises:
        QueryError: as `open_image`, or a photo that it cannot be computed from.
    """
    photo = open_image(source, where, bgr=bgr)
    with errors_of(photo.name or where):
        return compute(photo)
