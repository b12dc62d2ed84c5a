"""Colour palettes; of photos, their main colours."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

PALETTE = Modality(
    "palette",
    "Colours",
    (
        Source(
            "palette",
            "COLOURS",
            "1 to 7 colours, e.g. #1e90ff,#ffffff.",
            typed=True,
            forms=(
                "string",
                "list",
            ),
        ),
        Source("palette_of", "FILE", "Photo whose main colours are the --palette.", of="palette"),
    ),
)
