"""A model with everything it needs, ready to embed: `load_model` gives a `Model`.

==========  =================================================================================
manifest    what a bundle is made of: `bundle.json`, or the parts of an official 4M-21 model
official    the official models, tokenizers and spaces by name
at_hand     which tokenizers are on this disk, and the command that fetches what is missing
folders     the manifest of a folder in the official format
library     finding a model by name, listing those there are
kinds       the kinds of input
readers     one input kind each: what a user brings -> what the transformer is given
spaces      embedding spaces, and the linear transform a space may end with
devices     choosing device and dtype
samples     what is embedded: prepared samples, known tokens, blends
network     the transformer, its tables loaded when they are needed
decoding    from a space's logits to unit vectors
plans       how a space reads a sample: what is predicted together, what is joined afterwards
embedding   a batch in several spaces, from as few passes as there can be
taking      parts of a photo that the model itself predicts
model       the `Model` itself
==========  =================================================================================

Importing this package does not import torch.
"""

from fourm.model.model import Model
from fourm.model.samples import Prepared, TokenIds, WeightedFusion

__all__ = [
    "Model",
    "Prepared",
    "TokenIds",
    "WeightedFusion",
]
