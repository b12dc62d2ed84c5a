"""Colour palettes; of photos, their main colours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import PANEL_SIDE, Panel, empty_panel
from retrieval.errors import QueryError
from retrieval.inputs import Input, errors_of
from retrieval.modalities.drawings import BGR, IMAGE_ITEMS
from retrieval.modalities.modality import Items, Modality, Output, Source
from retrieval.suffixes import LINE_SUFFIXES

if TYPE_CHECKING:
    from fourm.modalities import Decoded
    from retrieval.inputs.images import Photo


def _read(source: object) -> Input:
    """Colours: `#1e90ff,#ffffff`, a list of such, or a list or array of (red, green, blue).

    Raises:
        QueryError: not a colour, or not 1 to 7 of them.
    """
    import numpy as np

    from fourm.messages import shown
    from fourm.modalities.palette import palette_text, read_colours

    expected = "expected colours like #1e90ff,#ffffff or a list of (red, green, blue)"
    with errors_of("palette"):
        if isinstance(source, str):
            return Input("palette", read_colours(source))
        entries = source.tolist() if isinstance(source, np.ndarray) else source
        if not isinstance(entries, (list, tuple)):
            raise QueryError(f"{expected}, got {shown(source)}", where="palette")
        if entries and all(isinstance(entry, str) for entry in entries):
            return Input("palette", read_colours(",".join(entries)))
        for entry in entries:
            if not isinstance(entry, (list, tuple)) or not all(map(_is_number, entry)):
                raise QueryError(f"{expected}, got {shown(entry)}", where="palette")
        palette_text(entries)
        return Input("palette", [tuple(round(part) for part in colour) for colour in entries])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _compute(photo: Photo) -> Input:
    """The five main colours."""
    from fourm.modalities.palette import palette_of

    return Input("palette", palette_of(photo.image), photo.name, "computed")


def _read_photo(source: object, *, bgr: bool = False) -> Input:
    from retrieval.inputs.images import compute_from

    return compute_from(source, _compute, "palette_of", bgr=bgr)


def _draw(entry: Input, title: str) -> Panel:
    """Swatches side by side, each with its code."""
    from PIL import Image, ImageDraw, ImageFont

    from fourm.modalities.palette import written_colour
    from retrieval.escaping import printable

    if not entry.value:
        return empty_panel(title)
    count = len(entry.value)
    width, height = max(120, PANEL_SIDE // count), 160
    image = Image.new("RGB", (count * width, height))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(20)
    codes = [written_colour(colour) for colour in entry.value]
    for number, (code, colour) in enumerate(zip(codes, entry.value, strict=True)):
        left = number * width
        draw.rectangle((left, 0, left + width - 1, height - 1), code)
        ink = "#000000" if sum(colour) > 382 else "#ffffff"
        draw.text((left + width // 2, height - 24), code, ink, font, anchor="mm")
    name = printable(entry.name) if entry.name else None
    return Panel(title, " ".join(codes), image=image, crisp=True, name=name)


def _write(decoded: Decoded, panel: Panel) -> tuple[Any, ...]:
    """As JSON, as typed, and as an image."""
    from fourm.modalities.palette import written_colour

    listed = json.dumps([list(colour) for colour in decoded.value])
    return listed + "\n", ",".join(map(written_colour, decoded.value)) + "\n", panel.image


PALETTE = Modality(
    "palette",
    "Colours",
    (
        Source(
            "palette",
            "COLOURS",
            "1 to 7 colours, e.g. #1e90ff,#ffffff.",
            typed=True,
            forms=("string", "list"),
            read=_read,
            items=Items("palettes", LINE_SUFFIXES, lines=True),
        ),
        Source(
            "palette_of",
            "FILE",
            "Photo to take the main colours from, used as --palette.",
            read=_read_photo,
            items=IMAGE_ITEMS,
            modifiers=(BGR,),
            of="palette",
        ),
    ),
    draw=_draw,
    output=Output((".json", ".txt", ".png"), write=_write, preview=4),
    compute=_compute,
    plain=True,
    aliases=("colours", "colors"),
)
