"""Pictures as pixels (4M-21 reference: rgb@224 and tok_rgb@224 as queries)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import BadInput

if TYPE_CHECKING:
    from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def as_picture(image: Any) -> Image.Image:
    """A PIL image in RGB mode.

    Args:
        image: a PIL image of any mode, or a uint8 array (H, W, 3).

    Raises:
        BadInput: anything else, a picture without pixels, or one that has no colours (LAB).
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise BadInput(
                f"a picture as an array must be uint8 (H, W, 3), not {image.dtype} {image.shape}"
            )
        if 0 in image.shape:
            raise BadInput("the picture has no pixels")
        return Image.fromarray(image)
    if not isinstance(image, Image.Image):
        raise BadInput(
            f"a picture must be a PIL image or a uint8 array, not {type(image).__name__}"
        )
    if 0 in image.size:
        raise BadInput("the picture has no pixels")
    if image.mode == "RGB":
        return image
    try:
        return image.convert("RGB")
    except (ValueError, OSError) as error:
        raise BadInput(f"a picture of mode {image.mode} cannot be read ({error})") from None


def square_box(width: int, height: int) -> tuple[int, int, int, int]:
    """The central square of a picture: left, top, right, bottom, in pixels."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def square_pixels(image: Any, size: int = 224) -> NDArray[np.uint8]:
    """Central square of a picture, resized (bicubic, antialiased): uint8 (3, size, size).

    Raises:
        BadInput: not a picture, see `as_picture`.
    """
    picture = as_picture(image)
    box = square_box(*picture.size)
    if box != (0, 0, *picture.size):
        picture = picture.crop(box)
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BICUBIC)
    # np.array, not asarray: a view of PIL's memory is read-only, which torch warns about.
    return np.ascontiguousarray(np.array(picture).transpose(2, 0, 1))


def imagenet_normalised(pixels: Tensor) -> Tensor:
    """Bytes (..., 3, H, W) -> float32 of mean 0 and deviation 1 over ImageNet's photos."""
    import torch

    mean = torch.tensor(IMAGENET_MEAN, device=pixels.device).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=pixels.device).view(3, 1, 1)
    return (pixels.float() / 255 - mean) / std


def imagenet_restored(values: Tensor) -> Tensor:
    """What `imagenet_normalised` made of bytes, (..., 3, H, W) float -> 0 .. 1."""
    mean, std = (values.new_tensor(rgb).view(3, 1, 1) for rgb in (IMAGENET_MEAN, IMAGENET_STD))
    return values * std + mean


def uncentred(values: Tensor) -> Tensor:
    """Decoded values, about -1 .. 1, of any shape -> bytes 0 .. 255; what lies outside is cut."""
    import torch

    return ((values.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)


def centred(pixels: Tensor) -> Tensor:
    """Bytes 0 .. 255 of any shape -> float32 from -1 to 1."""
    return (pixels.float() / 255 - 0.5) / 0.5
