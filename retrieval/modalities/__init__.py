"""All that a person does with each modality, one module a modality.

Light to import: `fourm --help` reads the options.
"""

from __future__ import annotations

from retrieval.modalities.boxes import BOXES
from retrieval.modalities.clip_features import CLIP_FEATURES
from retrieval.modalities.depth import DEPTH
from retrieval.modalities.dinov2_embedding import DINOV2_EMBEDDING
from retrieval.modalities.dinov2_features import DINOV2_FEATURES
from retrieval.modalities.edges import EDGES
from retrieval.modalities.image import IMAGE
from retrieval.modalities.image_tokens import IMAGE_TOKENS
from retrieval.modalities.imagebind_embedding import IMAGEBIND_EMBEDDING
from retrieval.modalities.imagebind_features import IMAGEBIND_FEATURES
from retrieval.modalities.metadata import METADATA
from retrieval.modalities.modality import Modality, Modifier, Option, Source
from retrieval.modalities.normals import NORMALS
from retrieval.modalities.palette import PALETTE
from retrieval.modalities.poses import POSES
from retrieval.modalities.sam import SAM
from retrieval.modalities.sam_edges import SAM_EDGES
from retrieval.modalities.seg import SEG
from retrieval.modalities.t5 import T5
from retrieval.modalities.text import TEXT

__all__ = [
    "MODALITIES",
    "Modality",
    "Modifier",
    "Option",
    "Source",
    "modifiers",
    "register",
    "sources",
]

MODALITIES: dict[str, Modality] = {}
"""Name -> modality, in the order in which pages show them."""


def register(modality: Modality) -> None:
    """Add a modality: its options, panels and files are known from now on.

    Raises:
        ValueError: one of its names is taken.
    """
    taken = {*MODALITIES, *sources()}
    for name in {modality.name, *(source.name for source in modality.sources)}:
        if name in taken:
            raise ValueError(f"modality {name!r} is already registered")
    MODALITIES[modality.name] = modality


def sources() -> dict[str, Source]:
    """Name -> option that gives an input, in the order of the modalities."""
    return {source.name: source for one in MODALITIES.values() for source in one.sources}


def modifiers() -> dict[str, Modifier]:
    """Name -> option that says how sources are read."""
    return {entry.name: entry for one in MODALITIES.values() for entry in one.modifiers}


for _modality in (
    TEXT,
    IMAGE,
    SEG,
    DEPTH,
    NORMALS,
    EDGES,
    SAM_EDGES,
    BOXES,
    PALETTE,
    METADATA,
    SAM,
    POSES,
    T5,
    CLIP_FEATURES,
    DINOV2_FEATURES,
    IMAGEBIND_FEATURES,
    DINOV2_EMBEDDING,
    IMAGEBIND_EMBEDDING,
    IMAGE_TOKENS,
):
    register(_modality)
