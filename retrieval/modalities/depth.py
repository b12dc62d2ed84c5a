"""Depth maps."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Modifier, Source

DEPTH = Modality(
    "depth",
    "Depth map",
    (Source("depth", "FILE", "Depth map: a grey PNG of 8 or 16 bits, or .npy (H, W)."),),
    modifiers=(
        Modifier(
            "depth_near",
            "WORD",
            "Which values of --depth are near: low (distances, the default) or high.",
            typed=True,
            choices=("low", "high"),
        ),
    ),
)
