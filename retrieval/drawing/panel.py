"""What is shown of an input or of something generated. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

PANEL_SIDE = 480


@dataclass(frozen=True)
class LegendEntry:
    """A colour of a map, its meaning, and its share of the map in [0, 1]."""

    label: str
    colour: tuple[int, int, int]
    share: float

    @property
    def percent(self) -> str:
        """The share as shown: `12 %`, `<1 %`."""
        rounded = round(100 * self.share)
        return f"{rounded} %" if rounded else "<1 %"

    @property
    def hex(self) -> str:
        """The colour as `#rrggbb`."""
        return "#{:02x}{:02x}{:02x}".format(*self.colour)


@dataclass(frozen=True)
class Panel:
    """One input or output under a title.

    Attributes:
        title: what it is.
        summary: its content in a few words.
        text: a text to show in place of an image.
        image: RGB, or RGBA where it is transparent for nothing.
        crisp: enlarge the image without smoothing.
        name: of its file.
        legend: of the image.
        rows: names and values to show in place of an image.
        note: how it was computed, if it was not given as such, and its weight.
    """

    title: str
    summary: str
    text: str | None = None
    image: Image.Image | None = None
    crisp: bool = False
    name: str | None = None
    legend: tuple[LegendEntry, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def description(self) -> str:
        """Alternative text of the image."""
        parts = ", ".join(f"{entry.label} {entry.percent}" for entry in self.legend)
        return f"{self.title}: {parts}" if parts else self.summary


def empty_panel(title: str) -> Panel:
    """The panel of a list without entries."""
    return Panel(title, "nothing", rows=(("", "nothing"),))
