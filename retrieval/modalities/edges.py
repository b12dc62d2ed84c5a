"""Edges and line drawings; of photos, Canny edges."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

EDGES = Modality(
    "edges",
    "Edges",
    (
        Source("edges", "FILE", "Edges or a line drawing: light lines on dark, or dark on light."),
        Source("canny", "FILE", "Photo whose Canny edges are the --edges.", of="edges"),
    ),
)
