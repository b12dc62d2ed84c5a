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
    IncompleteSpace,
    IndexBusy,
    IndexesError,
    NewerFormat,
    NotAnIndex,
    ReadingMismatch,
    ReadOnlyIndex,
    RecipeMismatch,
    StorageFailed,
    UnknownPicture,
)
from indexes.fusing import FUSIONS, Fusion
from indexes.index import Index
from indexes.recipe import Reading, Recipe
from indexes.records import Counts, Known, Picture, PictureFacts, Place, Record
from indexes.searching import Fused

__all__ = [
    "FUSIONS",
    "BadRecipe",
    "BadRecord",
    "BadSearch",
    "BadVector",
    "Counts",
    "DamagedIndex",
    "FolderTaken",
    "Fused",
    "Fusion",
    "IncompleteSpace",
    "Index",
    "IndexBusy",
    "IndexesError",
    "Known",
    "NewerFormat",
    "NotAnIndex",
    "Picture",
    "PictureFacts",
    "Place",
    "ReadOnlyIndex",
    "Reading",
    "ReadingMismatch",
    "Recipe",
    "RecipeMismatch",
    "Record",
    "StorageFailed",
    "UnknownPicture",
]
