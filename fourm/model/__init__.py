"""A model with all its parts, ready to embed: `fourm.load_model` gives a `Model`.

================  ==============================================================================
model             the `Model` itself
devices           choosing device and dtype
samples           what is embedded: prepared samples, token ids, weighted fusions
predicted_inputs  inputs that the model itself predicts from an image
network           the transformer, its tables loaded when they are needed
plans             how a space embeds a sample: what is predicted together, what is averaged
embedding         a batch in several spaces, from as few passes as possible
space_decoder     from a space's logits to unit vectors
transform         the linear transform of a space, and linear probes
================  ==============================================================================

Importing this package does not import torch.
"""

from fourm.model.model import Model
from fourm.model.samples import Prepared, TokenIds, WeightedFusion

__all__ = ["Model", "Prepared", "TokenIds", "WeightedFusion"]
