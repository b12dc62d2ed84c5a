"""Boxes, colours and metadata as queries: typed, or from files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from fourm.modalities.boxes import Box, check_box, read_box
from fourm.modalities.metadata import read_metadata
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
                    "boxes: expected class:xmin,ymin,xmax,ymax or a file, "
                    f"got {type(entry).__name__}"
                )
    if not boxes:
        raise QueryError("boxes: there are none; give at least one")
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
        try:
            colours = [tuple(float(part) for part in colour) for colour in source]  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            raise QueryError(
                "palette: expected colours like #1e90ff,#ffffff or a list of (red, green, blue)"
            ) from None
        palette_text(colours)
        return Input("palette", [tuple(round(part) for part in colour) for colour in colours])


def read_facts(source: object) -> Input:
    """Metadata: `brightness=200 n_humans=3`, a list of such, or a dict.

    Raises:
        QueryError: another form, an unknown or repeated key, or a value out of its range.
    """
    if isinstance(source, Mapping):
        text = " ".join(f"{key}={value}" for key, value in source.items())
    elif isinstance(source, str):
        text = source
    elif isinstance(source, Sequence) and all(isinstance(part, str) for part in source):
        text = " ".join(source)
    else:
        raise QueryError("metadata: expected text like brightness=200 n_humans=3, or a dict")
    with named("metadata"):
        return Input("metadata", read_metadata(text))
