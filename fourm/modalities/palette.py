"""Colour palettes (4M-21 reference: color_palette as a query)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from PIL import Image

from fourm.checks import finite_numbers
from fourm.errors import BadInput
from fourm.messages import shown
from fourm.modalities.pixels import as_picture
from fourm.modalities.words import number_word, read_number

MOST_COLOURS = 7
Colour = Sequence[float]


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
        raise BadInput(f"a palette has 1 to {MOST_COLOURS} colours, not {len(colours)}")
    checked = []
    for colour in colours:
        parts = finite_numbers(colour, "a colour (red, green, blue)", 3)
        if not all(0 <= part <= 255 for part in parts):
            raise BadInput(f"a colour is red, green, blue from 0 to 255, not {shown(colour)}")
        checked.append(parts)
    return checked


def parse_palette(text: str) -> list[tuple[int, int, int]]:
    """Colours of a text that a model has written; a last colour that is cut short is left out."""
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
        BadInput: something that is no colour, or not 1 .. 7 of them.
    """
    colours = []
    for part in text.replace(",", " ").split():
        digits = part.removeprefix("#")
        if re.fullmatch(r"[0-9a-fA-F]{3}", digits):
            digits = "".join(digit * 2 for digit in digits)
        if not re.fullmatch(r"[0-9a-fA-F]{6}", digits):
            raise BadInput(f"{shown(part)} is no colour: write #rrggbb, for example #1e90ff")
        red, green, blue = bytes.fromhex(digits)
        colours.append((red, green, blue))
    if not 1 <= len(colours) <= MOST_COLOURS:
        raise BadInput(f"a palette has 1 to {MOST_COLOURS} colours, not {len(colours)}")
    return colours


def written_colour(colour: Colour) -> str:
    """A colour (red, green, blue), 0 .. 255, as `read_colours` reads it: `#1e90ff`."""
    return "#{:02x}{:02x}{:02x}".format(*map(round, colour))


def palette_of(image: Any, count: int = 5) -> list[tuple[int, int, int]]:
    """The main colours of a picture by median cut, most frequent first; at most `count` of them.

    Raises:
        BadInput: not a picture, or a count that is not 1 .. 7.
    """
    if not 1 <= count <= MOST_COLOURS:
        raise BadInput(f"a palette has 1 to {MOST_COLOURS} colours, not {count}")
    picture = as_picture(image).copy()
    picture.thumbnail((128, 128))
    reduced = picture.quantize(count, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    parts = reduced.getpalette() or []
    used = sorted(reduced.getcolors() or [], key=lambda pair: -pair[0])
    places = [place for _, place in used if isinstance(place, int)]
    return [(parts[3 * i], parts[3 * i + 1], parts[3 * i + 2]) for i in places]
