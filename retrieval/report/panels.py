"""The query drawn as it was given: words as words, a picture, a coloured map with its legend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from retrieval.queries import Input, Query
from retrieval.queries.class_table import NOTHING, coco_panoptic
from retrieval.report.printable import printable

PANEL_SIDE = 480


@dataclass(frozen=True)
class LegendEntry:
    """A colour of a map, what it means, and its share of the map in [0, 1]."""

    label: str
    colour: tuple[int, int, int]
    share: float

    @property
    def percent(self) -> str:
        """The share for people: `12 %`, `<1 %`."""
        rounded = round(100 * self.share)
        return f"{rounded} %" if rounded else "<1 %"

    @property
    def hex(self) -> str:
        """The colour as `#rrggbb`."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


@dataclass(frozen=True)
class Panel:
    """One input of a query.

    `picture` is RGB, or RGBA where it is transparent for nothing; `crisp` ones are made of areas
    and are enlarged without smoothing.
    """

    title: str
    summary: str
    words: str | None = None
    picture: Image.Image | None = None
    crisp: bool = False
    name: str | None = None
    legend: tuple[LegendEntry, ...] = ()

    @property
    def description(self) -> str:
        """The picture in words, for those who do not see it."""
        parts = ", ".join(f"{entry.label} {entry.percent}" for entry in self.legend)
        return f"{self.title}: {parts}" if parts else self.summary


def panels(query: Query) -> tuple[Panel, ...]:
    """One panel an input, in the order of the query."""
    return tuple(PAINTERS[entry.kind](entry) for entry in query.inputs)


def _words(entry: Input) -> Panel:
    shown = printable(entry.value)
    return Panel("Words", f"“{shown}”", words=shown)


def _photo(entry: Input) -> Panel:
    picture = entry.value.copy()
    picture.thumbnail((PANEL_SIDE, PANEL_SIDE))
    name = printable(entry.name) if entry.name else None
    return Panel("Picture", name or "a picture", picture=picture, name=name)


def _segmentation(entry: Input) -> Panel:
    table = coco_panoptic()
    ids = entry.value
    found, counts = np.unique(ids, return_counts=True)
    shares = sorted(zip(counts / ids.size, found, strict=True), reverse=True)
    legend = tuple(
        LegendEntry(table.names[int(number)], table.colours[int(number)], float(share))
        for share, number in shares
        if number != NOTHING
    )
    pixels = np.dstack([table.paint(ids), np.where(ids == NOTHING, 0, 255).astype(np.uint8)])
    picture = Image.fromarray(pixels)
    scale = PANEL_SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.NEAREST)
    name = printable(entry.name) if entry.name else None
    summary = name or "a segmentation map"
    return Panel("Segmentation map", summary, None, picture, True, name, legend)


PAINTERS: dict[str, Callable[[Input], Panel]] = {
    "text": _words,
    "image": _photo,
    "seg": _segmentation,
}
"""How each kind of input is drawn."""
