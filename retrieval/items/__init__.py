"""Galleries of any modality: which files or lines are their items, and reading them."""

from retrieval.items.finding import find_items
from retrieval.items.reading import ItemReader, file_of_item, options_of, read_item

__all__ = ["ItemReader", "file_of_item", "find_items", "options_of", "read_item"]
