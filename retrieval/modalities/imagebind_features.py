"""Feature maps of ImageBind."""

from __future__ import annotations

from retrieval.modalities.features import feature_map

IMAGEBIND_FEATURES = feature_map(
    "imagebind_features", "ImageBind features", "ImageBind H/14 feature map: .npy (1280, 16, 16)."
)
