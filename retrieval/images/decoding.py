"""From a file's bytes to an upright sRGB image of a size that the models can use."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

from PIL import Image

from retrieval.errors import ItemError
from retrieval.images.damage import JPEG_END, is_jpeg, missing_share, truncated_allowed
from retrieval.images.formats import open_image
from retrieval.images.frames import choose_frame, frame_count
from retrieval.images.info import ImageInfo, read_image_info
from retrieval.images.limits import DecodingOptions, current_options
from retrieval.images.orientation import FIRST_SIDEWAYS, TURNS, read_orientation
from retrieval.images.profiles import to_srgb
from retrieval.images.ranges import grey8, is_wide
from retrieval.images.reducing import GIANT_PIXELS, reduction
from retrieval.images.transparency import over_background

MAX_PIXELS = 178_956_970
"""Arrays with more numbers are refused as queries."""

_one_giant_at_a_time = threading.Lock()
_DRAFTED = ("JPEG", "MPO")
_TRANSPARENT = ("RGBA", "LA", "RGBa", "La")
_ENDS_EARLY = ("is truncated", "Truncated", "broken data stream", "unrecognized data stream")


@dataclass(frozen=True)
class DecodedImage:
    """`image` is RGB (sRGB), upright, opaque, possibly reduced by a whole factor."""

    image: Image.Image
    info: ImageInfo


def decode(
    content: bytes, name: str | None = None, options: DecodingOptions | None = None
) -> DecodedImage:
    """Decode the bytes of an image file.

    Of an animation, the first frame that is not of one colour; of a file with pages, the largest.
    The orientation tag is applied once, colours are converted to sRGB, greys of more than 8 bits
    are stretched, and transparent areas get a background against which the rest can be seen.

    Args:
        content: the whole file.
        name: of the file; camera RAW is known by its suffix.
        options: None: those that hold in this thread, see `decoding_options`.

    Raises:
        ItemError: its message is the reason, without the file's name.
    """
    if not content:
        raise ItemError("empty file")
    chosen = current_options() if options is None else options
    try:
        return _decoded(content, name, chosen)
    except _Truncated as error:
        return _rest_of(content, name, chosen, error)


class _Truncated(ItemError):
    """The pixels of a file end early."""


def _decoded(content: bytes, name: str | None, options: DecodingOptions) -> DecodedImage:
    check = _limit(options.pixels)
    try:
        with open_image(content, name) as opened:
            choose_frame(opened, check)
            info = replace(read_image_info(opened), frames=frame_count(opened))
            full_size = opened.size
            factor = reduction(*full_size)
            opened.draft(None, (opened.width // factor, opened.height // factor))
            check(opened)
            with _memory_for(opened):
                opened.load()
                drafted = opened.size != full_size and opened.format in _DRAFTED
                size = full_size if drafted else opened.size
                return _finished(opened, info, size, read_orientation(opened, content))
    except ItemError:
        raise
    except MemoryError:
        raise ItemError("not enough memory to decode it") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, ValueError
        reason = f"truncated or damaged: {_first_line(error)}"
        if any(word in reason for word in _ENDS_EARLY):
            raise _Truncated(reason) from None
        raise ItemError(reason) from None


def _finished(
    loaded: Image.Image, info: ImageInfo, size: tuple[int, int], orientation: int
) -> DecodedImage:
    """Shrink, turn and convert an image whose pixels are unpacked."""
    image = _shrunk(_plain(loaded))
    if orientation in TURNS:
        image = image.transpose(TURNS[orientation])
    width, height = size[::-1] if orientation >= FIRST_SIDEWAYS else size
    return DecodedImage(_opaque(image), replace(info, width=width, height=height))


def _rest_of(
    content: bytes, name: str | None, options: DecodingOptions, error: _Truncated
) -> DecodedImage:
    missing = missing_share(content)
    if missing == 0 and is_jpeg(content):
        return _decoded(content + JPEG_END, name, options)
    if options.allow_truncated:
        with truncated_allowed():
            return _decoded(content + JPEG_END if is_jpeg(content) else content, name, options)
    share = "" if missing is None else f", {_percent(missing)} of the image is missing"
    raise ItemError(f"{error}{share} (--allow-truncated reads what is left)") from None


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{share:.0%}".replace("%", " %")


def _limit(most: int) -> Callable[[Image.Image], None]:
    def check(image: Image.Image) -> None:
        pixels = image.width * image.height
        if pixels > most:
            raise ItemError(
                f"too large: {pixels / 1e6:.0f} megapixels to unpack, the limit is "
                f"{most / 1e6:.0f} (--max-pixels raises it)"
            )

    return check


def _plain(image: Image.Image) -> Image.Image:
    """Of 8 bits a channel and without a palette, its profile kept."""
    if is_wide(image):
        return grey8(image)
    if image.mode in ("P", "PA", "1") or (
        image.mode in ("RGB", "L") and image.has_transparency_data
    ):
        plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
        plain.info = {key: value for key, value in image.info.items() if key == "icc_profile"}
        return plain
    return image


def _opaque(image: Image.Image) -> Image.Image:
    converted = to_srgb(image)
    if converted.mode in _TRANSPARENT:
        return over_background(converted)
    return converted if converted.mode == "RGB" else converted.convert("RGB")


def upright(image: Image.Image) -> Image.Image:
    """An opened Pillow image, treated exactly as `decode` treats a file that needs no draft."""
    info = read_image_info(image)
    image.load()
    return _finished(image, info, image.size, read_orientation(image)).image


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence the warnings of Pillow about large images, which have a limit of their own, and about
    damaged EXIF data, which is read as missing.

    Enter it in the main thread before workers start: warning filters belong to the process.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _shrunk(image: Image.Image) -> Image.Image:
    converts = "icc_profile" in image.info or image.mode in _TRANSPARENT
    if not converts and not _is_giant(image):
        return image  # to reduce it saves a tenth of the time, and changes pixels
    factor = reduction(*image.size)
    return image if factor == 1 else image.reduce(factor)


def _is_giant(image: Image.Image) -> bool:
    return image.width * image.height > GIANT_PIXELS


def _memory_for(image: Image.Image) -> AbstractContextManager[object]:
    return _one_giant_at_a_time if _is_giant(image) else nullcontext()


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
