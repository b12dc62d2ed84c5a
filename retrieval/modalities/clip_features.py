"""Feature maps of CLIP."""

from __future__ import annotations

from retrieval.modalities.features import array_modality

CLIP_FEATURES = array_modality(
    "clip_features", "CLIP features", "CLIP B/16 feature map: .npy (512, 14, 14)."
)
