"""Human poses."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

POSES = Modality(
    "poses",
    "Human poses",
    (
        Source(
            "poses",
            "FILE",
            "Human poses: JSON of boxes and SMPL parameters.",
            forms=("string", "object"),
        ),
    ),
)
