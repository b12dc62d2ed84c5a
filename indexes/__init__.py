"""Storage of a gallery: a catalogue of pictures, their vectors, and nearest-neighbour search.

Knows nothing of models: vectors come in with a `Recipe` that says how they were made.
"""

from indexes.errors import (
    BadRecipe,
    BadRecord,
    BadSearch,
    BadVector,
    DamagedIndex,
    FolderTaken,
    IndexBusy,
    IndexesError,
    NewerFormat,
    NotAnIndex,
    ReadOnlyIndex,
    RecipeMismatch,
    StorageFailed,
    UnknownPicture,
)
from indexes.index import Index
from indexes.recipe import Recipe
from indexes.records import Counts, Known, Picture, PictureFacts, Record

__all__ = [
    "BadRecipe",
    "BadRecord",
    "BadSearch",
    "BadVector",
    "Counts",
    "DamagedIndex",
    "FolderTaken",
    "Index",
    "IndexBusy",
    "IndexesError",
    "Known",
    "NewerFormat",
    "NotAnIndex",
    "Picture",
    "PictureFacts",
    "ReadOnlyIndex",
    "Recipe",
    "RecipeMismatch",
    "Record",
    "StorageFailed",
    "UnknownPicture",
]
