"""Storage of galleries: a catalogue of items, their vectors, and nearest-neighbour search.

It knows no models: vectors come with a `Recipe` that says how they were made.
"""

from indexes.conditions import Condition
from indexes.details import Details
from indexes.errors import (
    BadRecipe,
    BadRecord,
    BadSearch,
    BadVector,
    CannotLock,
    ClosedIndex,
    DamagedIndex,
    FolderTaken,
    IncompleteSpace,
    IndexBusy,
    IndexesError,
    NewerFormat,
    NotAnIndex,
    OutOfMemory,
    ReadingMismatch,
    ReadOnlyIndex,
    RecipeMismatch,
    ReplacedIndex,
    StorageFailed,
    UnknownItem,
    UnsafeIndex,
)
from indexes.fusion import FUSIONS, Fusion
from indexes.index import Index
from indexes.recipe import Reading, Recipe
from indexes.records import (
    Counts,
    FileInfo,
    Item,
    ItemPath,
    Part,
    Record,
    SearchResult,
    Shape,
    SnapshotEntry,
)

__all__ = [
    "FUSIONS",
    "BadRecipe",
    "BadRecord",
    "BadSearch",
    "BadVector",
    "CannotLock",
    "ClosedIndex",
    "Condition",
    "Counts",
    "DamagedIndex",
    "Details",
    "FileInfo",
    "FolderTaken",
    "Fusion",
    "IncompleteSpace",
    "Index",
    "IndexBusy",
    "IndexesError",
    "Item",
    "ItemPath",
    "NewerFormat",
    "NotAnIndex",
    "OutOfMemory",
    "Part",
    "ReadOnlyIndex",
    "Reading",
    "ReadingMismatch",
    "Recipe",
    "RecipeMismatch",
    "Record",
    "ReplacedIndex",
    "SearchResult",
    "Shape",
    "SnapshotEntry",
    "StorageFailed",
    "UnknownItem",
    "UnsafeIndex",
]
