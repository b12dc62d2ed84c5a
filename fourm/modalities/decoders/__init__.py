"""From the tokens of any modality to what people can use (4M-21 reference, sec. 6).

==========  =================================================================================
base        what all decoders share, and `Decoded`, what they make
grids       pictures, normals, edges, depth, segmentation: from tokens of their tokenizers
features    feature maps and global embeddings of other networks
texts       words, boxes, palettes, metadata: from what the model has written
objects     SAM instances and people: from what it has written, and the tokens in it
kinds       which decoder makes which kind
==========  =================================================================================

What is decoded has the form in which the same kind is given to a model (`Model.prepare`), so that
it can be given to one again.
"""

from fourm.modalities.decoders.base import Decoded, Decoder, Quality
from fourm.modalities.decoders.kinds import decoder_for, needs

__all__ = ["Decoded", "Decoder", "Quality", "decoder_for", "needs"]
