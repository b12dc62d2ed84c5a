"""Metadata of images: brightness, number of people, size ..."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrieval.drawing.panel import Panel, empty_panel
from retrieval.errors import QueryError
from retrieval.inputs import Input, errors_of
from retrieval.modalities.modality import Items, Modality, Output, Source
from retrieval.suffixes import LINE_SUFFIXES

if TYPE_CHECKING:
    from fourm.modalities import Decoded
    from retrieval.inputs.images import Photo


def _read(source: object) -> Input:
    """Metadata: `brightness=200 n_humans=3`, a list of such, or a dict.

    Raises:
        QueryError: another form, an unknown or repeated key, or a value out of its range.
    """
    from fourm.messages import shown
    from fourm.modalities.metadata import checked_metadata, read_metadata

    with errors_of("metadata"):
        if isinstance(source, Mapping):
            return Input("metadata", checked_metadata(source))
        parts = [source] if isinstance(source, str) else source
        if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) for p in parts):
            raise QueryError(
                f"expected text like brightness=200 n_humans=3, or a dict, got {shown(source)}",
                where="metadata",
            )
        return Input("metadata", read_metadata(" ".join(parts)))


def _compute(photo: Photo) -> Input:
    """The metadata that needs no model; the size is that of the photo before it was shrunk."""
    from fourm.modalities.metadata import computable_metadata

    values = computable_metadata(photo.image)
    values["original_width"], values["original_height"] = map(float, photo.size)
    return Input("metadata", values, photo.name, "computed")


def _typed(values: Mapping[str, float]) -> str:
    return " ".join(f"{key}={value:g}" for key, value in values.items())


def _draw(entry: Input, title: str) -> Panel:
    if not entry.value:
        return empty_panel(title)
    rows = tuple((key, f"{value:g}") for key, value in entry.value.items())
    return Panel(title, _typed(entry.value), rows=rows)


def _write(decoded: Decoded, panel: Panel) -> tuple[Any, ...]:
    """As JSON, as typed, and as an image of a table."""
    from retrieval.drawing.blocks import draw_panel

    table = draw_panel(panel) if decoded.value else None
    return json.dumps(decoded.value, allow_nan=False) + "\n", _typed(decoded.value) + "\n", table


METADATA = Modality(
    "metadata",
    "Metadata",
    (
        Source(
            "metadata",
            "KEY=VALUE",
            "Metadata, e.g. 'brightness=200 n_humans=3'. May be repeated.",
            typed=True,
            repeated=True,
            forms=("string", "list", "object"),
            read=_read,
            items=Items("lines of metadata", LINE_SUFFIXES, lines=True),
        ),
    ),
    draw=_draw,
    output=Output((".json", ".txt", ".png"), write=_write, summary=_typed),
    compute=_compute,
    plain=True,
)
