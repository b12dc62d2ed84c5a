"""Boxes, colours and metadata as queries: typed, or from files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fourm.messages import shown
from fourm.modalities.boxes import Box, check_box, read_box
from fourm.modalities.metadata import checked_metadata, read_metadata
from fourm.modalities.palette import palette_text, read_colours
from retrieval.errors import QueryError
from retrieval.queries.box_files import boxes_of_file
from retrieval.queries.inputs import Input, existing_file
from retrieval.queries.named import named

BOX_FILES = (".json", ".txt")


def read_boxes(source: object) -> Input:
    """Labelled boxes.

    Args:
        source: `person:0.1,0.2,0.4,0.9`, a COCO (.json) or YOLO (.txt) file, a `Box`, or a list of
            any of these.

    Raises:
        QueryError: none of them, or a box that cannot be.
    """
    entries = source if isinstance(source, (list, tuple)) else [source]
    boxes: list[Box] = []
    name = None
    for entry in entries:
        if names_file(entry):
            path = existing_file(str(entry), "a COCO or YOLO file")
            boxes += boxes_of_file(path)
            name = path.name
            continue
        with named("boxes"):
            if isinstance(entry, Box):
                check_box(entry)
                boxes.append(entry)
            elif isinstance(entry, str):
                boxes.append(read_box(entry))
            else:
                raise QueryError(
                    f"expected class:xmin,ymin,xmax,ymax or a file, got {shown(entry)}",
                    where="boxes",
                )
    if not boxes:
        where = "boxes" if name is None else ", ".join(map(str, entries))
        raise QueryError("there are none; give at least one, in the central square", where=where)
    return Input("boxes", boxes, name)


def names_file(entry: object) -> bool:
    """Whether something given as boxes is a file of them."""
    return isinstance(entry, os.PathLike) or (
        isinstance(entry, str) and Path(entry).suffix.lower() in BOX_FILES
    )


def read_palette(source: object) -> Input:
    """Colours: `#1e90ff,#ffffff`, or a list of (red, green, blue).

    Raises:
        QueryError: something that is no colour, or not 1 to 7 of them.
    """
    with named("palette"):
        if isinstance(source, str):
            return Input("palette", read_colours(source))
        entries = source.tolist() if isinstance(source, np.ndarray) else source
        if not isinstance(entries, (list, tuple)):
            raise QueryError(f"{_COLOURS}, got {shown(source)}", where="palette")
        if entries and all(isinstance(entry, str) for entry in entries):
            return Input("palette", read_colours(",".join(entries)))
        for entry in entries:
            if not isinstance(entry, (list, tuple)) or not all(map(_is_number, entry)):
                raise QueryError(f"{_COLOURS}, got {shown(entry)}", where="palette")
        palette_text(entries)
        return Input("palette", [tuple(round(part) for part in colour) for colour in entries])


_COLOURS = "expected colours like #1e90ff,#ffffff or a list of (red, green, blue)"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def read_facts(source: object) -> Input:
    """Metadata: `brightness=200 n_humans=3`, a list of such, or a dict.

    Raises:
        QueryError: another form, an unknown or repeated key, or a value out of its range.
    """
    with named("metadata"):
        if isinstance(source, Mapping):
            return Input("metadata", checked_metadata(source))
        parts = [source] if isinstance(source, str) else source
        if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) for p in parts):
            raise QueryError(
                f"expected text like brightness=200 n_humans=3, or a dict, got {shown(source)}",
                where="metadata",
            )
        return Input("metadata", read_metadata(" ".join(parts)))
