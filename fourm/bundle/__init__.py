"""A model with everything it needs, ready to embed: `load_model` gives a `Model`.

==========  =================================================================================
manifest    what a bundle is made of: `bundle.json`, or the parts of an official 4M-21 model
official    the official models and tokenizers by name
library     finding a model by name, listing those there are
kinds       the kinds of input
readers     one input kind each: what a user brings -> what the transformer is given
spaces      embedding spaces, and the linear transform a space may end with
devices     choosing device and dtype
model       the `Model` itself
==========  =================================================================================

Importing this package does not import torch.
"""

from fourm.bundle.library import ModelCard, list_models, load_model
from fourm.bundle.model import Model
from fourm.bundle.spaces import Space

__all__ = ["Model", "ModelCard", "Space", "list_models", "load_model"]
