"""Colour palettes (4M-21 reference: color_palette)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from fourm.checks import finite_numbers
from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.items import ItemVectors, item_codec, shares
from fourm.modalities.modality import GenerationDefaults, Modality
from fourm.modalities.number_words import number_word, read_number
from fourm.modalities.pixels import as_image
from fourm.modalities.written import written_codec
from fourm.tokens import text_tokens

MOST_COLOURS = 7
Colour = Sequence[float]

COLOUR_KNOTS = 6
"""In a vector, a colour is shared among the corners of its cell in a grid of 6 x 6 x 6 colours."""

PALETTE_WIDTH = COLOUR_KNOTS**3


def palette_text(colours: Sequence[Colour]) -> str:
    """Colours as the model reads them: `v1=2 v0=255 v0=0 v0=0 v0=12 v0=13 v0=14`.

    Args:
        colours: 1 .. 7 of them, each red, green, blue from 0 to 255; fractions are rounded.

    Raises:
        BadInput: none or more than 7 colours, or a part that is missing or out of range.
    """
    checked = check_colours(colours)
    words = [number_word(1, len(checked))]
    for parts in checked:
        words += [number_word(0, round(part)) for part in parts]
    return " ".join(words)


def check_colours(colours: Sequence[Colour]) -> list[tuple[float, ...]]:
    """The colours of a palette: 1 .. 7, each red, green, blue from 0 to 255.

    Raises:
        BadInput: as `palette_text`.
    """
    if not 1 <= len(colours) <= MOST_COLOURS:
        raise BadInput(f"a palette has 1 to {MOST_COLOURS} colours, got {len(colours)}")
    checked = []
    for colour in colours:
        parts = finite_numbers(colour, "a colour (red, green, blue)", 3)
        if not all(0 <= part <= 255 for part in parts):
            raise BadInput(f"a colour is red, green, blue from 0 to 255, got {shown(colour)}")
        checked.append(parts)
    return checked


def parse_palette(text: str) -> list[tuple[int, int, int]]:
    """Colours of a text that a model has written; an incomplete last colour is skipped."""
    words = text.split()
    parts = []
    for word in words[1:] if words and read_number(words[0], 1) is not None else words:
        value = read_number(word, 0)
        if value is None:
            break
        parts.append(min(value, 255))
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=False)
    return list(triples)[:MOST_COLOURS]


def read_colours(text: str) -> list[tuple[int, int, int]]:
    """Colours as a user writes them: `#1e90ff,#ffffff` (`#fff` is white, too; `#` may be left out).

    Raises:
        BadInput: something that is not a colour, or not 1 .. 7 of them.
    """
    colours = []
    for part in text.replace(",", " ").split():
        digits = part.removeprefix("#")
        if re.fullmatch(r"[0-9a-fA-F]{3}", digits):
            digits = "".join(digit * 2 for digit in digits)
        if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
            raise BadInput(
                f"{shown(part)} is not a valid colour: write #rrggbb, for example #1e90ff"
            )
        red, green, blue = bytes.fromhex(digits)
        colours.append((red, green, blue))
    if not 1 <= len(colours) <= MOST_COLOURS:
        raise BadInput(f"a palette has 1 to {MOST_COLOURS} colours, got {len(colours)}")
    return colours


def written_colour(colour: Colour) -> str:
    """A colour (red, green, blue), 0 .. 255, as `read_colours` reads it: `#1e90ff`."""
    return "#{:02x}{:02x}{:02x}".format(*map(round, colour))


def palette_of(image: Any, count: int = 5) -> list[tuple[int, int, int]]:
    """The main colours of an image by median cut, most frequent first; at most `count` of them.

    Raises:
        BadInput: not an image, or a count that is not 1 .. 7.
    """
    if not 1 <= count <= MOST_COLOURS:
        raise BadInput(f"a palette has 1 to {MOST_COLOURS} colours, got {count}")
    small = as_image(image).copy()
    small.thumbnail((128, 128))
    reduced = small.quantize(count, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    parts = reduced.getpalette() or []
    used = sorted(reduced.getcolors() or [], key=lambda pair: -pair[0])
    indices = [index for _, index in used if isinstance(index, int)]
    return [(parts[3 * i], parts[3 * i + 1], parts[3 * i + 2]) for i in indices]


def palette_items(colours: Sequence[Sequence[float]]) -> ItemVectors:
    """(n, PALETTE_WIDTH) float32: 1 .. 7 colours, each red, green, blue from 0 to 255.

    Raises:
        BadInput: none or more than 7 colours, or a part that is missing or out of range.
    """
    values = np.array(check_colours(colours))
    red, green, blue = (shares(values[:, part], 0, 255, COLOUR_KNOTS) for part in range(3))
    cells: ItemVectors = np.einsum("nr,ng,nb->nrgb", red, green, blue).astype(np.float32)
    return cells.reshape(len(values), PALETTE_WIDTH)


def _colours(value: Any) -> list[tuple[Any, ...]]:
    try:
        return [tuple(colour) for colour in value]
    except (TypeError, ValueError):
        raise BadInput(
            f"a palette is a list of colours (red, green, blue), got {shown(value)}"
        ) from None


def _written(value: Any) -> str:
    return palette_text(_colours(value))


def _vectors(value: Any) -> ItemVectors:
    return palette_items(_colours(value))


PALETTE = Modality(
    name="palette",
    tokens=text_tokens("color_palette", 23),
    codecs={
        "seq": written_codec(_written, parse_palette),
        "seq_emb": item_codec(_vectors, PALETTE_WIDTH),
    },
    generation=GenerationDefaults("autoregressive", temperature=0.1),
    generation_order=140,
)
