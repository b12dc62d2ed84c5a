"""Labelled boxes of objects."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

BOXES = Modality(
    "boxes",
    "Boxes",
    (
        Source(
            "boxes",
            "BOX",
            "class:xmin,ymin,xmax,ymax as fractions, e.g. person:0.1,0.2,0.4,0.9, "
            "or a COCO (.json) or YOLO (.txt) file. May be repeated.",
            typed=True,
            repeated=True,
            forms=(
                "string",
                "list",
            ),
        ),
    ),
)
