"""Text: a caption, a sentence, a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrieval.drawing.panel import Panel
from retrieval.errors import QueryError
from retrieval.inputs import Input
from retrieval.modalities.modality import Items, Modality, Output, Source
from retrieval.suffixes import LINE_SUFFIXES

if TYPE_CHECKING:
    from PIL import Image

    from fourm.modalities import Decoded


def read_text(source: object, where: str = "text") -> Input:
    """Text, without the white space around it; `where` names it in messages.

    Raises:
        QueryError: not a string, nothing but white space, or no Unicode text.
    """
    if not isinstance(source, str):
        raise QueryError(f"expected a string, got {type(source).__name__}", where=where)
    text = source.strip()
    if not text:
        raise QueryError("the text is empty; give at least one word", where=where)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # bytes of another charset come from the terminal as surrogates
        raise QueryError(
            "expected Unicode text, got stray bytes or surrogates", where=where
        ) from None
    return Input("text", text)


def _draw(entry: Input, title: str) -> Panel:
    from retrieval.escaping import printable

    shown = printable(entry.value)
    return Panel(title, f"“{shown}”", text=shown)


def _draw_output(decoded: Decoded, title: str, ground: Image.Image | None) -> Panel:
    from retrieval.escaping import printable

    shown = printable(decoded.value)
    return Panel(title, shown, text=shown or "(no text)")


TEXT = Modality(
    "text",
    "Text",
    (
        Source(
            "text",
            "TEXT",
            "Caption or a few words.",
            typed=True,
            read=read_text,
            items=Items("texts", LINE_SUFFIXES, lines=True),
        ),
    ),
    draw=_draw,
    output=Output(
        (".txt",),
        write=lambda decoded, panel: (decoded.value + "\n",),
        draw=_draw_output,
        summary=str,
        preview=3,
    ),
    plain=True,
)
