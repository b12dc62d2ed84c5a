"""Feature maps of DINOv2."""

from __future__ import annotations

from retrieval.modalities.features import feature_map

DINOV2_FEATURES = feature_map(
    "dinov2_features", "DINOv2 features", "DINOv2 B/14 feature map: .npy (768, 16, 16)."
)
