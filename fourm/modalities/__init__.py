"""The modalities: what each is to a model, one module each.

===============  ===============================================================================
registry         `MODALITIES`, `register` and look-ups
modality         `Modality`, the object that holds all of one, and what it is made of
reading          what all readers share: a user's value -> what the transformer is given
decoding         what all decoders share: tokens -> a user's value
pixels           modalities that a model reads as pixels
grids, maps      squares of image tokens, and what the image-like ones have in common
features         features of other networks: maps and global embeddings
written, coded   what is written as text, and text with codes of a tokenizer in it
items            a few items, one vector each
===============  ===============================================================================

All other modules are modalities. Importing this package does not import torch.
"""

from fourm.modalities.boxes import BOXES
from fourm.modalities.clip_features import CLIP_FEATURES
from fourm.modalities.decoding import Decoded, Decoder
from fourm.modalities.depth import DEPTH
from fourm.modalities.dinov2_embedding import DINOV2_EMBEDDING
from fourm.modalities.dinov2_features import DINOV2_FEATURES
from fourm.modalities.edges import EDGES
from fourm.modalities.image import IMAGE
from fourm.modalities.image_tokens import IMAGE_TOKENS
from fourm.modalities.imagebind_embedding import IMAGEBIND_EMBEDDING
from fourm.modalities.imagebind_features import IMAGEBIND_FEATURES
from fourm.modalities.metadata import METADATA
from fourm.modalities.modality import (
    Codec,
    GenerationDefaults,
    Locate,
    Modality,
    ModelPart,
    OfficialSpace,
    OfficialTokenizer,
)
from fourm.modalities.normals import NORMALS
from fourm.modalities.palette import PALETTE
from fourm.modalities.poses import POSES
from fourm.modalities.reading import Content, Reader
from fourm.modalities.registry import (
    MODALITIES,
    find_modality,
    generation_defaults,
    generation_order,
    image_modalities,
    register,
    unregister,
)
from fourm.modalities.sam import SAM
from fourm.modalities.sam_edges import SAM_EDGES
from fourm.modalities.seg import SEG
from fourm.modalities.t5 import T5
from fourm.modalities.text import TEXT

__all__ = [
    "IMAGE",
    "MODALITIES",
    "Codec",
    "Content",
    "Decoded",
    "Decoder",
    "GenerationDefaults",
    "Locate",
    "Modality",
    "ModelPart",
    "OfficialSpace",
    "OfficialTokenizer",
    "Reader",
    "find_modality",
    "generation_defaults",
    "generation_order",
    "image_modalities",
    "register",
    "unregister",
]

for _modality in (
    IMAGE,
    TEXT,
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
