"""Edges of objects, as SAM finds them."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

SAM_EDGES = Modality(
    "sam_edges",
    "Object edges",
    (
        Source(
            "sam_edges",
            "FILE",
            "Edges of objects, as SAM finds them: light lines on dark, or dark on light.",
        ),
    ),
)
