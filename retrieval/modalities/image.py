"""Images: photos, for their pixels."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

IMAGE = Modality("image", "Image", (Source("image", "FILE", "Image to find similar ones of."),))
