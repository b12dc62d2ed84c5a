"""The query drawn as it was given: words, pictures, maps with their legends, facts as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fourm.modalities.palette import written_colour
from retrieval.escaping import printable
from retrieval.modalities import MODALITIES
from retrieval.queries import Input, Query
from retrieval.queries.class_table import NOTHING, coco_panoptic
from retrieval.report.painting import draw_boxes, nearness

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
        return written_colour(self.colour)


@dataclass(frozen=True)
class Panel:
    """One input of a query.

    `picture` is RGB, or RGBA where it is transparent for nothing; `crisp` ones are made of areas
    and are enlarged without smoothing. `rows` are what is told in words where nothing is drawn.
    `note` says how it came about where it was not given as such, and how much it counts.
    """

    title: str
    summary: str
    words: str | None = None
    picture: Image.Image | None = None
    crisp: bool = False
    name: str | None = None
    legend: tuple[LegendEntry, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def description(self) -> str:
        """The picture in words, for those who do not see it."""
        parts = ", ".join(f"{entry.label} {entry.percent}" for entry in self.legend)
        return f"{self.title}: {parts}" if parts else self.summary


def panels(query: Query) -> tuple[Panel, ...]:
    """One panel an input, in the order of the query."""
    weighed = query.combine != "together"
    return tuple(panel_of(entry, weighed) for entry in query.inputs)


def panel_of(entry: Input, weighed: bool = False) -> Panel:
    """How one input is drawn; `weighed` says to note its weight."""
    title = MODALITIES[entry.kind].title
    notes = []
    if entry.origin == "predicted":
        panel = _predicted(entry, title)
        notes.append(f"only its {title.lower()}, predicted by the model")
    else:
        panel = PAINTERS[entry.kind](entry, title)
    if entry.origin == "computed":
        notes.append("computed from the picture")
    if weighed:
        notes.append(f"weight {entry.weight:g}")
    if entry.weight < 0:
        notes.append("to push away from")
        panel = replace(panel, title=f"Not: {title.lower()}", summary=f"not {panel.summary}")
    return replace(panel, note=", ".join(notes))


def _words(entry: Input, title: str) -> Panel:
    shown = printable(entry.value)
    return Panel(title, f"“{shown}”", words=shown)


def _predicted(entry: Input, title: str) -> Panel:
    """The photo, which is all that is known before the model has run."""
    return _picture(entry, f"{title} of a picture")


def _picture(entry: Input, title: str) -> Panel:
    picture = entry.value.copy()
    picture.thumbnail((PANEL_SIDE, PANEL_SIDE))
    name = printable(entry.name) if entry.name else None
    return Panel(title, name or title.lower(), picture=picture.convert("RGB"), name=name)


def _segmentation(entry: Input, title: str) -> Panel:
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
    return Panel(title, name or title.lower(), None, picture, True, name, legend)


def _depth(entry: Input, title: str) -> Panel:
    """Near is light; the lowest and highest hundredth of the values are cut off."""
    grey = Image.fromarray(np.round(255 * nearness(entry.value)).astype(np.uint8))
    return _picture(replace(entry, value=grey), title)


def _boxes(entry: Input, title: str) -> Panel:
    picture = Image.new("RGB", (PANEL_SIDE, PANEL_SIDE), "#ffffff")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, PANEL_SIDE - 1, PANEL_SIDE - 1), outline="#b8b3a8")
    draw_boxes(picture, entry.value)
    names = ", ".join(box.name for box in entry.value)
    name = printable(entry.name) if entry.name else None
    return Panel(title, names, picture=picture, name=name)


def _palette(entry: Input, title: str) -> Panel:
    count = len(entry.value)
    width, height = max(120, PANEL_SIDE // count), 160
    picture = Image.new("RGB", (count * width, height))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(20)
    codes = [written_colour(colour) for colour in entry.value]
    for place, (code, colour) in enumerate(zip(codes, entry.value, strict=True)):
        left = place * width
        draw.rectangle((left, 0, left + width - 1, height - 1), code)
        ink = "#000000" if sum(colour) > 382 else "#ffffff"
        draw.text((left + width // 2, height - 24), code, ink, font, anchor="mm")
    name = printable(entry.name) if entry.name else None
    return Panel(title, " ".join(codes), picture=picture, crisp=True, name=name)


def _facts(entry: Input, title: str) -> Panel:
    rows = tuple((key, f"{value:g}") for key, value in entry.value.items())
    return Panel(title, " ".join(f"{key}={value}" for key, value in rows), rows=rows)


def _objects(entry: Input, title: str) -> Panel:
    """Masks over each other, one grey each."""
    shades = np.linspace(110, 255, len(entry.value)).astype(np.uint8)
    canvas = np.zeros(np.shape(entry.value[0].pixels), np.uint8)
    for mask, shade in zip(entry.value, shades, strict=True):
        canvas[np.asarray(mask.pixels) != 0] = shade
    return _picture(replace(entry, value=Image.fromarray(canvas)), title)


def _people(entry: Input, title: str) -> Panel:
    rows = (("people", str(len(entry.value.people))),)
    return _plain(entry, title, rows)


def _features(entry: Input, title: str) -> Panel:
    return _plain(entry, title, (("shape", " x ".join(map(str, entry.value.shape))),))


def _plain(entry: Input, title: str, rows: tuple[tuple[str, str], ...]) -> Panel:
    name = printable(entry.name) if entry.name else None
    return Panel(title, name or title, rows=rows, name=name)


PAINTERS: dict[str, Callable[[Input, str], Panel]] = {
    **dict.fromkeys(MODALITIES, _picture),
    "text": _words,
    "seg": _segmentation,
    "depth": _depth,
    "boxes": _boxes,
    "palette": _palette,
    "metadata": _facts,
    "sam": _objects,
    "poses": _people,
    "t5": _features,
    "clip_features": _features,
    "dinov2_features": _features,
    "imagebind_features": _features,
    "dinov2_embedding": _features,
    "imagebind_embedding": _features,
}
"""How each kind of input is drawn under its title; what is not said here is a picture."""
