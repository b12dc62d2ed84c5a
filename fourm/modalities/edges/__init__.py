"""Canny edges (4M-21 reference: tok_canny_edge@224), or line drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fourm.modalities.edges.canny import canny_edges
from fourm.modalities.edges.drawings import square_edges
from fourm.modalities.grids import grid_codec, scaled_bytes
from fourm.modalities.maps import (
    DIFFUSION_TOKENIZER,
    MAP_GENERATION,
    MAP_GIVEN_IMAGE,
    as_grey_bytes,
)
from fourm.modalities.modality import Modality, OfficialTokenizer
from fourm.modalities.pixels import pixel_codec
from fourm.tokens import grid_tokens

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["EDGES", "EDGE_CODEC", "EDGE_TOKENIZER", "canny_edges", "square_edges"]


def _unit(pixels: Tensor) -> Tensor:
    return pixels.float() / 255


EDGE_CODEC = grid_codec(square_edges, scaled_bytes, as_grey_bytes)

EDGE_TOKENIZER = OfficialTokenizer(
    "4M_tokenizers_edge_8k_224-512",
    "tokenizer/edges",
    "Canny edges and SAM edges",
    {**DIFFUSION_TOKENIZER, "n_channels": 1, "image_size": 512},
    uncertain_fields=("n_channels",),
)

EDGES = Modality(
    name="edges",
    tokens=grid_tokens("tok_canny_edge@224", 8192),
    codecs={"img": EDGE_CODEC, "pixels": pixel_codec(square_edges, _unit, channels=1)},
    tokenizer=EDGE_TOKENIZER,
    generation=MAP_GENERATION,
    generation_given_image=MAP_GIVEN_IMAGE,
    generation_order=70,
)
