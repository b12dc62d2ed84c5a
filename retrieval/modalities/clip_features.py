"""Feature maps of CLIP."""

from __future__ import annotations

from retrieval.modalities.features import feature_map

CLIP_FEATURES = feature_map(
    "clip_features",
    "CLIP features",
    "CLIP B/16 feature map: .npy (512, 14, 14).",
    aliases=("clip",),
)
