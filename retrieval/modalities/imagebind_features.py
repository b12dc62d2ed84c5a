"""Feature maps of ImageBind."""

from __future__ import annotations

from retrieval.modalities.features import array_modality

IMAGEBIND_FEATURES = array_modality(
    "imagebind_features", "ImageBind features", "ImageBind H/14 feature map: .npy (1280, 16, 16)."
)
