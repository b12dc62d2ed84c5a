"""A query and its hits as a page or a contact sheet, in one call."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from retrieval.gallery import Gallery
from retrieval.hits import Hit
from retrieval.queries import Query
from retrieval.report.page import page_html
from retrieval.report.results import Results
from retrieval.report.sheet import save_sheet


def render_page(
    gallery: Gallery,
    query: Query,
    hits: Sequence[Hit],
    *,
    modalities: str | Collection[str] | None = None,
) -> str:
    """Render an HTML page of a query and its hits, with embedded images.

        query = Query.read(text="a dog")
        (hits,) = gallery.search_batch([query])
        html = render_page(gallery, query, hits)

    Items that cannot be read any more are shown with the reason.

    Args:
        gallery: the gallery that was searched.
        query: the query.
        hits: what it found.
        modalities: those that were searched; None: all.

    Raises:
        UsageError: a modality that the index does not hold.
        fourm.FourmError: the model cannot be loaded.
    """
    return page_html(Results.of(gallery, query, hits, modalities))


def write_sheet(
    gallery: Gallery,
    query: Query,
    hits: Sequence[Hit],
    file: str | os.PathLike[str],
    *,
    modalities: str | Collection[str] | None = None,
) -> None:
    """Write a contact sheet of a query and its hits, a PNG 1544 pixels wide.

    Args:
        gallery: the gallery that was searched.
        query: the query.
        hits: what it found.
        file: an existing file is replaced.
        modalities: those that were searched; None: all.

    Raises:
        UsageError: the file cannot be written, or a modality that the index does not hold.
        fourm.FourmError: the model cannot be loaded.
    """
    save_sheet(Results.of(gallery, query, hits, modalities), file)
