"""Segmentation maps: which COCO panoptic class is where."""

from __future__ import annotations

from retrieval.modalities.modality import Modality, Source

SEG = Modality(
    "seg",
    "Segmentation map",
    (
        Source(
            "seg",
            "FILE",
            "Segmentation map: a PNG of COCO panoptic category ids (0 = nothing), or in the "
            "colours that `fourm classes` prints.",
        ),
    ),
)
