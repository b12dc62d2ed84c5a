"""Segmentation maps (4M-21 reference: tok_semseg@224)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fourm.modalities.grids import grid_codec
from fourm.modalities.maps import GRID_TOKENIZER, MAP_GENERATION, MAP_GIVEN_IMAGE
from fourm.modalities.modality import Modality, OfficialTokenizer
from fourm.modalities.seg.classes import PanopticClass, panoptic_classes
from fourm.modalities.seg.labels import ids_of_labels, labels_of_indices, square_labels
from fourm.tokens import grid_tokens

if TYPE_CHECKING:
    from torch import Tensor

    from fourm.tokenizers.config import TokenizerConfig

__all__ = [
    "SEG",
    "PanopticClass",
    "ids_of_labels",
    "labels_of_indices",
    "panoptic_classes",
    "square_labels",
]


def _labels(stacked: Tensor, config: TokenizerConfig) -> Tensor:
    """Labels uint8 (B, side, side) -> int64."""
    return stacked.long()


def _most_likely_ids(decoded: Tensor) -> Any:
    """Decoded (labels, H, W) -> uint8 (H, W), the category id of each pixel's most likely label."""
    return ids_of_labels(decoded.argmax(dim=0).numpy())


SEG = Modality(
    name="seg",
    tokens=grid_tokens("tok_semseg@224", 4096),
    codecs={"img": grid_codec(square_labels, _labels, _most_likely_ids, labels=True)},
    tokenizer=OfficialTokenizer(
        "4M_tokenizers_semseg_4k_224-448",
        "tokenizer/semseg",
        "segmentation maps",
        {**GRID_TOKENIZER, "n_channels": 64, "n_labels": 134, "codebook_size": 4096},
    ),
    generation=MAP_GENERATION,
    generation_given_image=MAP_GIVEN_IMAGE,
    generation_order=60,
    in_fingerprint=True,
)
