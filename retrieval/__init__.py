"""Galleries of pictures: build one, then find its pictures by words, a picture or a layout.

from retrieval import Gallery

gallery = Gallery.build("photos/", to="photos.index")
for hit in gallery.search(text="a red bicycle", k=10):
    print(hit.rank, hit.score, hit.path)
"""

from __future__ import annotations

from retrieval.errors import (
    BuildInterrupted,
    PictureError,
    QueryError,
    RetrievalError,
    UsageError,
)
from retrieval.gallery import Gallery, Hit
from retrieval.queries import Query

__all__ = [
    "BuildInterrupted",
    "Gallery",
    "Hit",
    "PictureError",
    "Query",
    "QueryError",
    "RetrievalError",
    "UsageError",
]
