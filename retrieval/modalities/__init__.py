"""What a user does with each modality, one module each.

Light to import: `fourm --help` reads the options.
"""

from __future__ import annotations

from retrieval.errors import UsageError
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
from retrieval.modalities.modality import Items, Modality, Modifier, Option, Output, Source
from retrieval.modalities.names import check_names
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
    "Items",
    "Modality",
    "Modifier",
    "Option",
    "Output",
    "Source",
    "find",
    "modifiers",
    "parts_of_photos",
    "register",
    "source_named",
    "sources",
]

MODALITIES: dict[str, Modality] = {}
"""Name -> modality, in the order in which pages show them."""


def register(modality: Modality) -> None:
    """Add a modality: its options, galleries, panels and files are known from now on.

    Raises:
        ValueError: one of its names, or of its options, is taken, or is no name.
    """
    for name in dict.fromkeys((modality.name, *(source.name for source in modality.sources))):
        if name in MODALITIES or name in sources():
            raise ValueError(f"modality {name!r} is already registered")
    check_names(modality, MODALITIES.values())
    MODALITIES[modality.name] = modality


def sources() -> dict[str, Source]:
    """Name -> option that gives an input, in the order of the modalities."""
    return {source.name: source for one in MODALITIES.values() for source in one.sources}


def modifiers() -> dict[str, Modifier]:
    """Name -> option that says how sources are read."""
    return {entry.name: entry for source in sources().values() for entry in source.modifiers}


def parts_of_photos() -> list[str]:
    """Names of the modalities that can be computed from a photo or predicted from one."""
    return [name for name, modality in MODALITIES.items() if modality.part_of_photo]


def find(name: str) -> Modality | None:
    """The modality of a name, if there is one.

    Args:
        name: of the modality, of one of its sources (`canny`), an alias, or what the official
            models call it. Case does not matter, and `-` may stand for `_`.
    """
    asked = name.strip().lower().replace("-", "_")
    if asked in MODALITIES:
        return MODALITIES[asked]
    if asked in (known := sources()):
        return MODALITIES[known[asked].modality]
    for modality in MODALITIES.values():
        if asked in modality.aliases:
            return modality
    return MODALITIES.get(_official_names().get(asked, ""))


def source_named(name: object) -> Source:
    """The source of that name, by which the items of a gallery are read; `-` may stand for `_`.

    Raises:
        UsageError: there is none.
    """
    known = sources()
    found = known.get(name.replace("-", "_")) if isinstance(name, str) else None
    if found is None:
        raise UsageError(f"unknown modality {name!r}; known: {', '.join(known)}")
    return found


def _official_names() -> dict[str, str]:
    from fourm.modalities import MODALITIES as OF_MODELS

    return {modality.tokens.name: name for name, modality in OF_MODELS.items()}


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
