"""From each kind of modality to content vectors x and position+modality vectors e."""

from fourm.embeddings.decoder import ImageTarget, SequenceTarget, target_embedding
from fourm.embeddings.inputs import ModalityInput
from fourm.embeddings.pixels import PixelEmbedding
from fourm.embeddings.select import input_embedding
from fourm.embeddings.sequences import FeatureEmbedding, SequenceEmbedding
from fourm.embeddings.tokens import TokenEmbedding

__all__ = [
    "FeatureEmbedding",
    "ImageTarget",
    "ModalityInput",
    "PixelEmbedding",
    "SequenceEmbedding",
    "SequenceTarget",
    "TokenEmbedding",
    "input_embedding",
    "target_embedding",
]
