"""Surface normals."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

NORMALS = Modality(
    "normals",
    "Surface normals",
    (Source("normals", "FILE", "Surface normals: a PNG, x, y and z as red, green and blue."),),
)
