"""A query with what it found, read once and drawn alike by the page and the contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PIL import Image

from retrieval.drawing.panel import Panel
from retrieval.errors import ItemError
from retrieval.escaping import printable
from retrieval.gallery import Gallery
from retrieval.hits import Hit
from retrieval.inputs import Input
from retrieval.queries import Query, as_read
from retrieval.queries.combining import Combination
from retrieval.report.panels import panel_of, panels
from retrieval.scope import Scope

THUMBNAIL_SIDE = 400

_HEADINGS: dict[Combination, str] = {
    "together": "all of these together",
    "guided": "weighted guidance by each of these",
    "late": "weighted mean of these, each embedded alone",
}


@dataclass(frozen=True)
class Tile:
    """A hit with its thumbnail or text, or with the reason why neither can be read.

    Attributes:
        hit: the hit.
        thumbnail: RGB, or RGBA where it is transparent for nothing.
        note: why nothing is shown.
        text: shown of an item without an image.
        share: length of the score's bar, in [0, 1].
    """

    hit: Hit
    thumbnail: Image.Image | None
    note: str | None = None
    text: str | None = None
    share: float = 0.0

    @property
    def folder(self) -> str:
        """The folder of the path, escaped, ending in `/`; empty at the root."""
        return printable(self.hit.path[: len(self.hit.path) - len(self._name)])

    @property
    def name(self) -> str:
        """The name of the file, escaped."""
        return printable(self._name)

    @property
    def modality(self) -> str:
        """The modality of the item, escaped; empty for an image."""
        return "" if self.hit.modality == "image" else self.hit.modality.replace("_", " ")

    @property
    def _name(self) -> str:
        return self.hit.path.rsplit("/", 1)[-1]

    @property
    def score(self) -> str:
        """The score with a minus sign (U+2212); fused scores have one more decimal."""
        return _number(self.hit.score, 4 if len(self.hit.scores) > 1 else 3)

    @property
    def scores(self) -> str:
        """The cosine in every space, for the tooltip."""
        told = (f"{space} {_number(score, 3)}" for space, score in self.hit.scores.items())
        return f"cosine similarity: {printable(', '.join(told))}"


@dataclass(frozen=True)
class Results:
    """The content of a result page or contact sheet."""

    panels: tuple[Panel, ...]
    tiles: tuple[Tile, ...]
    searched: int
    gallery: str
    model: str
    space: str
    noun: str = "images"
    combine: Combination = "together"

    @classmethod
    def of(
        cls,
        gallery: Gallery,
        query: Query,
        hits: Sequence[Hit],
        modalities: str | Collection[str] | None = None,
    ) -> Results:
        """Read the hits again; one that cannot be read has a note instead.

        Args:
            gallery: where it was searched.
            query: the query, of which the inputs that the model reads are shown.
            hits: what was found.
            modalities: those that were searched; None: all.

        Raises:
            UsageError: a modality that the index does not hold.
        """
        index = gallery.index
        searched = Scope.of(index, modalities=modalities).modalities or tuple(index.readings)
        roots = {index.roots[name] for name in searched}
        best = max((hit.score for hit in hits), default=0.0)
        return cls(
            panels(as_read(query, gallery.model)),
            tuple(_tile(hit, gallery.read, best) for hit in hits),
            sum(index.counts(modality=name).indexed for name in searched),
            printable(", ".join(sorted(root.name or str(root) for root in roots))),
            printable(index.recipe.model),
            printable(hits[0].space if hits else index.recipe.space),
            "images" if set(searched) == {"image"} else "items",
            query.combine,
        )

    @property
    def heading(self) -> str:
        """How the inputs are combined."""
        return "Query" if len(self.panels) == 1 else f"Query: {_HEADINGS[self.combine]}"

    @property
    def title(self) -> str:
        """The query in a few words."""
        return " + ".join(panel.summary for panel in self.panels)

    @property
    def fused(self) -> bool:
        """Whether the scores are made from several spaces."""
        return any(len(tile.hit.scores) > 1 for tile in self.tiles)

    @property
    def counted(self) -> str:
        """The number of items searched: `1,000 images`."""
        noun = self.noun[:-1] if self.searched == 1 else self.noun
        return f"{self.searched:,} {noun}"


def _tile(hit: Hit, read: Callable[[Hit], Input], best: float) -> Tile:
    share = hit.score / best if len(hit.scores) > 1 and best > 0 else hit.score
    share = min(max(share, 0.0), 1.0)
    try:
        panel = panel_of(read(hit))
    except ItemError as error:
        return Tile(hit, None, printable(str(error)), share=share)
    if panel.image is None:
        told = ", ".join(f"{key} {value}" for key, value in panel.rows)
        return Tile(hit, None, text=panel.text or told or panel.title, share=share)
    image = panel.image
    method = Image.Resampling.NEAREST if panel.crisp else Image.Resampling.BICUBIC
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), method)
    return Tile(hit, image, share=share)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
