"""Edges of SAM's instances (4M-21 reference: tok_sam_edge@224)."""

from __future__ import annotations

from fourm.modalities.edges import EDGE_CODEC, EDGE_TOKENIZER
from fourm.modalities.maps import MAP_GENERATION, MAP_GIVEN_IMAGE
from fourm.modalities.modality import Modality
from fourm.tokens import grid_tokens

SAM_EDGES = Modality(
    name="sam_edges",
    tokens=grid_tokens("tok_sam_edge@224", 8192),
    codecs={"img": EDGE_CODEC},
    tokenizer=EDGE_TOKENIZER,
    generation=MAP_GENERATION,
    generation_given_image=MAP_GIVEN_IMAGE,
    generation_order=80,
)
