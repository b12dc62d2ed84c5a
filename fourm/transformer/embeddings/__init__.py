"""From each kind of modality to content vectors x and position+modality vectors e."""

from fourm.transformer.embeddings.decoder import ImageTarget, SequenceTarget, target_embedding
from fourm.transformer.embeddings.inputs import ModalityInput
from fourm.transformer.embeddings.pixels import PixelEmbedding
from fourm.transformer.embeddings.select import input_embedding
from fourm.transformer.embeddings.sequences import FeatureEmbedding, SequenceEmbedding
from fourm.transformer.embeddings.tokens import TokenEmbedding

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
