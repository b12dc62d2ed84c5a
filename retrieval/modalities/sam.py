"""Masks of objects, as SAM makes them."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

SAM = Modality(
    "sam",
    "Object masks",
    (
        Source(
            "sam",
            "FILE",
            "Masks of objects: JSON with COCO run lengths or polygons.",
            forms=("string", "list", "object"),
        ),
    ),
)
