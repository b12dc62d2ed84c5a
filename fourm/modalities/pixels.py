"""Images as pixels, and modalities that a model reads so (4M-21 reference: rgb@224)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fourm.errors import BadInput, ConfigError
from fourm.modalities.modality import Codec
from fourm.modalities.reading import Content, Reader

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fourm.tokens import TokenSpec
    from fourm.transformer.embeddings import ModalityInput

Square = Callable[[Any, int], NDArray[Any]]
"""(value, side) -> its central square, resized: (C, side, side)."""


def as_image(image: Any) -> Image.Image:
    """A PIL image in RGB mode.

    Args:
        image: a PIL image of any mode, or a uint8 array (H, W, 3).

    Raises:
        BadInput: anything else, an image without pixels, or of a mode without colours (LAB).
    """
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise BadInput(
                f"an image as an array must be uint8 (H, W, 3), got {image.dtype} {image.shape}"
            )
        if 0 in image.shape:
            raise BadInput("the image has no pixels")
        return Image.fromarray(image)
    if not isinstance(image, Image.Image):
        raise BadInput(f"an image must be a PIL image or a uint8 array, got {type(image).__name__}")
    if 0 in image.size:
        raise BadInput("the image has no pixels")
    if image.mode == "RGB":
        return image
    try:
        return image.convert("RGB")
    except (ValueError, OSError) as error:
        raise BadInput(f"an image of mode {image.mode} cannot be read ({error})") from None


def square_box(width: int, height: int) -> tuple[int, int, int, int]:
    """The central square of an image: left, top, right, bottom, in pixels."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def square_pixels(image: Any, size: int = 224) -> NDArray[np.uint8]:
    """Central square of an image, resized (bicubic, antialiased): uint8 (3, size, size).

    Raises:
        BadInput: not an image, see `as_image`.
    """
    whole = as_image(image)
    box = square_box(*whole.size)
    square = whole if box == (0, 0, *whole.size) else whole.crop(box)
    if square.size != (size, size):
        square = square.resize((size, size), Image.Resampling.BICUBIC)
    # np.array, not asarray: a view of PIL's memory is read-only, which torch warns about.
    return np.ascontiguousarray(np.array(square).transpose(2, 0, 1))


def uncentred(values: Tensor) -> Tensor:
    """Decoded values, about -1 .. 1, of any shape -> bytes 0 .. 255; values outside are clamped."""
    import torch

    return ((values.float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)


def centred(pixels: Tensor) -> Tensor:
    """Bytes 0 .. 255 of any shape -> float32 from -1 to 1."""
    return (pixels.float() / 255 - 0.5) / 0.5


class PixelReader(Reader):
    """Reads pixels.

    Args:
        spec: of kind `pixels`.
        square: of a value -> uint8 (C, side, side).
        scale: uint8 (B, C, side, side) -> float32, as the model takes it.
        channels: C.

    Raises:
        ConfigError: the model takes another number of channels.
    """

    def __init__(
        self, spec: TokenSpec, square: Square, scale: Callable[[Tensor], Tensor], channels: int
    ) -> None:
        super().__init__(spec)
        if spec.channels != channels:
            raise ConfigError(f"{spec.name} has {spec.channels} channels, expected {channels}")
        self._square, self._scale = square, scale

    @property
    def side(self) -> int:
        """Side of the square that the model sees, in pixels."""
        return self.spec.grid * self.spec.patch_size

    def prepare(self, value: Any) -> Content:
        """PIL image or uint8 array -> uint8 (C, side, side)."""
        return self._square(value, self.side)

    def batch(self, contents: Sequence[Content], device: torch.device) -> ModalityInput:
        """-> (B, C, side, side) float32."""
        import torch

        from fourm.transformer.embeddings import ModalityInput

        return ModalityInput(self._scale(torch.from_numpy(np.stack(contents)).to(device)))


def pixel_codec(square: Square, scale: Callable[[Tensor], Tensor], channels: int) -> Codec:
    """A modality whose pixels the model reads; arguments as `PixelReader`."""
    return Codec(lambda spec: PixelReader(spec, square, scale, channels))
