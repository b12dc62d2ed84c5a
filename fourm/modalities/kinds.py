"""The kinds of input, and what the official models read each as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fourm.transformer.config import FMConfig

KINDS: Mapping[str, str] = {
    "image": "rgb@224",
    "text": "caption",
    "seg": "tok_semseg@224",
    "depth": "tok_depth@224",
    "normals": "tok_normal@224",
    "edges": "tok_canny_edge@224",
    "sam_edges": "tok_sam_edge@224",
    "boxes": "det",
    "palette": "color_palette",
    "metadata": "metadata",
    "sam": "sam_instance",
    "poses": "human_poses",
    "t5": "t5_caption",
    "clip_features": "tok_clip@224",
    "dinov2_features": "tok_dinov2@224",
    "imagebind_features": "tok_imagebind@224",
    "dinov2_embedding": "tok_dinov2_global",
    "imagebind_embedding": "tok_imagebind_global",
    "image_tokens": "tok_rgb@224",
}
"""Kind -> modality of 4M-21, in the order in which a sample's kinds are given to the model."""

IMAGE = "image"

FIRST = (IMAGE, "text", "seg")
"""Kinds whose parts count for the fingerprint of a bundle.

A gallery's vectors do not depend on how the other kinds of a query are read, and their tables
would double the memory that searching by words or photos takes.
"""

GLOBAL = ("dinov2_embedding", "imagebind_embedding")
"""Kinds that are the vector of a whole picture."""


def takeable(kinds: Mapping[str, str], config: FMConfig) -> dict[str, str]:
    """The kinds that a model can predict from a photo and then be given, with their modalities.

    They need no tokenizer, so that those of 4M-21 count whether or not the bundle reads them.

    Args:
        kinds: kind -> modality, those that the bundle reads.
        config: of the transformer.
    """
    if IMAGE not in kinds:
        return {}
    further = {
        kind: name
        for kind, name in KINDS.items()
        if kind not in kinds and name not in kinds.values()
    }
    return {
        kind: name
        for kind, name in {**kinds, **further}.items()
        if kind not in GLOBAL
        and name in config.domains_in
        and name in config.domains_out
        and config.modalities[name].kind in ("img", "seq")
    }
