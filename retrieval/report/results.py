"""A query with what it found, read once and drawn alike by the page and the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from retrieval.errors import PictureError
from retrieval.gallery import Gallery, Hit
from retrieval.pictures import decode, read_file
from retrieval.queries import Query
from retrieval.queries.combining import How
from retrieval.report.panels import Panel, panels
from retrieval.report.printable import printable

THUMBNAIL_SIDE = 400

_HEADINGS: dict[How, str] = {
    "together": "all of these together",
    "guided": "each of these pulls by its weight",
    "late": "the weighted mean of what each of these predicts",
}


@dataclass(frozen=True)
class Tile:
    """A hit with its thumbnail, or with the reason why it has none any more."""

    hit: Hit
    thumbnail: Image.Image | None
    note: str | None = None

    @property
    def folder(self) -> str:
        """Fit to be shown: the path without the file's name, ending in `/`, or nothing."""
        return printable(self.hit.path[: len(self.hit.path) - len(self._name)])

    @property
    def name(self) -> str:
        """Fit to be shown: the file's name."""
        return printable(self._name)

    @property
    def _name(self) -> str:
        return self.hit.path.rsplit("/", 1)[-1]

    @property
    def score(self) -> str:
        """The score with three decimals and a real minus sign."""
        return f"{self.hit.score:.3f}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class Results:
    """What pages are made from."""

    panels: tuple[Panel, ...]
    tiles: tuple[Tile, ...]
    pictures: int
    gallery: str
    model: str
    space: str
    how: How = "together"

    @classmethod
    def of(cls, gallery: Gallery, query: Query, hits: Sequence[Hit]) -> Results:
        """Read the thumbnails of the hits; a picture that is gone by now has a note instead."""
        recipe = gallery.index.recipe
        return cls(
            panels(query),
            tuple(_tile(gallery.root, hit) for hit in hits),
            gallery.index.counts().indexed,
            printable(gallery.root.name or str(gallery.root)),
            printable(recipe.model),
            printable(recipe.space),
            query.how,
        )

    @property
    def heading(self) -> str:
        """How the inputs are combined."""
        return "Query" if len(self.panels) == 1 else f"Query: {_HEADINGS[self.how]}"

    @property
    def title(self) -> str:
        """What was asked, in a few words."""
        return " + ".join(panel.summary for panel in self.panels)


def _tile(root: Path, hit: Hit) -> Tile:
    if Path(hit.path).is_absolute() or ".." in Path(hit.path).parts:
        return Tile(hit, None, "its path leads out of the gallery")
    try:
        image = decode(read_file(root / hit.path).content).image
    except PictureError as error:
        return Tile(hit, None, printable(str(error)))
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return Tile(hit, image)
