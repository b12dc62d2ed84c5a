"""Galleries of pictures: build one, then find its pictures by words, a picture or a layout.

from retrieval import Gallery

gallery = Gallery.build("photos/", to="photos.index")
for hit in gallery.search(text="a red bicycle", k=10):
    print(hit.rank, hit.score, hit.path)

Importing this package imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from retrieval.errors import (
    BuildInterrupted,
    PictureError,
    QueryError,
    RetrievalError,
    UsageError,
)

if TYPE_CHECKING:
    from retrieval.encoders import Teachers
    from retrieval.gallery import Gallery
    from retrieval.generation import generate
    from retrieval.hits import Hit
    from retrieval.queries import Query

_LAZY = {
    "Gallery": "retrieval.gallery",
    "Hit": "retrieval.hits",
    "Query": "retrieval.queries",
    "Teachers": "retrieval.encoders",
    "generate": "retrieval.generation",
}

__all__ = [
    "BuildInterrupted",
    "Gallery",
    "Hit",
    "PictureError",
    "Query",
    "QueryError",
    "RetrievalError",
    "Teachers",
    "UsageError",
    "generate",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'retrieval' has no attribute {name!r}")
