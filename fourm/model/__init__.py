"""A model with all its parts, ready to embed: `fourm.load_model` gives a `Model`.

================  ==============================================================================
model             the `Model` itself
devices           choosing device and dtype
samples           what is embedded: prepared samples, token ids, weighted fusions
predicted_inputs  inputs that the model itself predicts from an image
network           the transformer, its tables loaded when they are needed
plans             how a space embeds a sample: what is read, what is predicted, what is summed
embedding         a batch in several spaces, from as few passes as possible
model_space       one space: its readouts and its decoder
readouts          vectors of one modality alone, from features without the decoder
heads             from features to the vectors of a space
space_decoder     from a space's logits to unit vectors
================  ==============================================================================

Importing this package does not import torch.
"""

from fourm.model.model import Model
from fourm.model.samples import Prepared, TokenIds, WeightedFusion

__all__ = ["Model", "Prepared", "TokenIds", "WeightedFusion"]
