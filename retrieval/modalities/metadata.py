"""Metadata of images: brightness, number of people, size ..."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

METADATA = Modality(
    "metadata",
    "Metadata",
    (
        Source(
            "metadata",
            "KEY=VALUE",
            "Metadata, e.g. 'brightness=200 n_humans=3'. May be repeated.",
            typed=True,
            repeated=True,
            forms=("string", "list", "object"),
        ),
    ),
)
