"""What a gallery of any kind consists of: which files or lines are its items, and reading them."""

from retrieval.items.finding import find_items
from retrieval.items.kinds import IMAGE, ITEM_KINDS, ItemKind, item_kind, options_of
from retrieval.items.lookup import read_item
from retrieval.items.readers import ItemReader, reader_of

__all__ = [
    "IMAGE",
    "ITEM_KINDS",
    "ItemKind",
    "ItemReader",
    "find_items",
    "item_kind",
    "options_of",
    "read_item",
    "reader_of",
]
