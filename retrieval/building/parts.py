"""Which items of an index lack the vectors of their parts, e.g. the squares of a panorama."""

from __future__ import annotations

from indexes import Index, Shape
from retrieval.modalities import Source


def lacking_parts(index: Index, source: Source) -> dict[str, tuple[str, ...]]:
    """Path -> spaces in which an indexed item of the gallery lacks vectors of its parts.

    Indexes of earlier versions have none; those of a space that is added are made with the rest.
    """
    if source.items.part is None or source.name not in index.readings:
        return {}
    found = {}
    for path, shape in index.shapes(modality=source.name).items():
        if wanted := part_count(source, shape):
            spaces = tuple(name for name in index.recipes if shape.parts.get(name, 0) != wanted)
            if spaces:
                found[path] = spaces
    return found


def part_count(source: Source, shape: Shape) -> int:
    """How many parts an item of that shape has."""
    if source.items.part is None or shape.width is None or shape.height is None:
        return 0
    return len(source.items.boxes(shape.width, shape.height))
